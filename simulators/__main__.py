"""Command line of the simulators: `serve` runs the PLCs of a plant, `crew` acts as its people."""

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from mes.core.clock import ScaledClock
from mes.core.errors import MesError


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it ended as asked, 2 when it could not start (one sentence on standard error)."""
    options = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        asyncio.run(options.run(options))
    except (MesError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="run the PLCs of a plant folder")
    serve.add_argument("plant", type=Path)
    serve.add_argument("--data", type=Path, required=True)
    serve.add_argument("--ports", choices=("config", "free"), default="config")
    serve.set_defaults(run=_serve)
    crew = commands.add_parser("crew", help="act as the crew through the product's HTTP API")
    crew.add_argument("--url", required=True)
    crew.add_argument("--credentials", type=Path, required=True)
    crew.add_argument("--plant", type=Path, default=None, help="plant folder, for the bays of its yard")
    crew.set_defaults(run=_crew)
    for command in (serve, crew):
        command.add_argument("--plant-start", type=datetime.fromisoformat, default=None)
        command.add_argument("--real-start", type=float, default=None)
        command.add_argument("--speed", type=float, default=1.0)
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--parent", type=int, default=None)
    return parser


def _clock(options: argparse.Namespace) -> ScaledClock:
    real = options.real_start if options.real_start is not None else time.time()
    start = options.plant_start or datetime.now().astimezone()
    return ScaledClock(start, real, options.speed)


async def _serve(options: argparse.Namespace) -> None:
    from simulators.plcs.serve import Order, serve

    order = Order(options.plant, options.data, _clock(options), options.ports == "free", options.seed)
    await serve(order, options.parent)


async def _crew(options: argparse.Namespace) -> None:
    from simulators.crew import Crew, read_tokens
    from simulators.crew_policy import CrewPolicy

    folder = options.plant or Path(os.environ.get("MES_PLANT") or Path(__file__).parents[1] / "config/plants/demo")
    policy = CrewPolicy(options.seed, _bays(folder))
    await Crew(options.url, read_tokens(options.credentials), _clock(options), policy, options.parent).run()


def _bays(folder: Path) -> Callable[[str], str]:
    """Which bay of the yard takes a family: the first that names it or names none."""
    from mes.lines.plant_file import read_plant

    yard = read_plant(folder).plant.yard
    return lambda family: next((bay.id for bay in yard if not bay.families or family in bay.families), "")


if __name__ == "__main__":
    sys.exit(main())
