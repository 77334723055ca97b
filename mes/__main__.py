"""Command line of the product: `mes …`."""

import os
import sys

from mes.cli.commands import app
from mes.cli.output import TRACEBACK, failed


def main() -> None:
    """Nothing that goes wrong reaches a person as a traceback, unless it is asked for."""
    try:
        app()
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        sys.exit(failed(error))


if __name__ == "__main__":
    main()
