"""Command line of the product: `mes …`."""

from mes.cli.commands import app


def main() -> None:
    app()


if __name__ == "__main__":
    main()
