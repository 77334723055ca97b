"""`mes bench …`: measured rates, with machine and command in the document."""

import os
import platform
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mes.cli.output import refusals, show

bench = typer.Typer(no_args_is_help=True, help="Measured rates of this machine.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def measured(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the machine and the command that gave it."""
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    return {
        **document,
        "machine": {**machine, "load_1min": round(os.getloadavg()[0], 2)},
        "command": " ".join(sys.argv[1:]),
    }


@bench.command("nesting")
def nesting(
    file: Annotated[Path, typer.Argument()],
    rotate: Annotated[bool, typer.Option("--rotate")] = False,
    time_limit: Annotated[float, typer.Option()] = 10,
    seed: Annotated[int, typer.Option()] = 1,
    evaluations: Annotated[int | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Two-dimensional bin packing of a benchmark instance."""
    from mes.planning.bench import bench_nesting

    with refusals(as_json):
        show(
            measured(bench_nesting(file, rotate=rotate, time_limit=time_limit, seed=seed, evaluations=evaluations)),
            as_json,
        )


@bench.command("flowshop")
def flowshop(
    file: Annotated[Path, typer.Argument()],
    time_limit: Annotated[float, typer.Option()] = 10,
    seed: Annotated[int, typer.Option()] = 1,
    evaluations: Annotated[int | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Permutation flow shop of a benchmark instance."""
    from mes.planning.bench import bench_flowshop

    with refusals(as_json):
        show(measured(bench_flowshop(file, time_limit=time_limit, seed=seed, evaluations=evaluations)), as_json)


@bench.command("precast")
def precast(
    file: Annotated[Path, typer.Argument()],
    time_limit: Annotated[float, typer.Option()] = 10,
    seed: Annotated[int, typer.Option()] = 1,
    evaluations: Annotated[int | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """A precast line instance."""
    from mes.planning.bench import bench_precast

    with refusals(as_json):
        show(measured(bench_precast(file, time_limit=time_limit, seed=seed, evaluations=evaluations)), as_json)


@bench.command("ingest")
def ingest(
    url: Annotated[str | None, typer.Option(help="Database; default is a new SQLite file.")] = None,
    seconds: Annotated[float, typer.Option()] = 10,
    callers: Annotated[int, typer.Option()] = 50,
    as_json: Json = False,
) -> None:
    """Acknowledged commands per second: reads, event, projection, outbox and hash chain each."""
    import tempfile

    from mes.store.bench import bench_ingest

    with refusals(as_json), tempfile.TemporaryDirectory() as folder:
        target = url or f"sqlite:///{folder}/bench.db"
        show(measured(dict(bench_ingest(target, seconds, callers))), as_json)


@bench.command("import")
def import_(
    file: Annotated[Path, typer.Argument()], rounds: Annotated[int, typer.Option()] = 3, as_json: Json = False
) -> None:
    """Seconds for each megabyte of a BIM file."""
    from mes.orders.intake.worker import read_file

    with refusals(as_json):
        spent = []
        for _ in range(rounds):
            began = time.perf_counter()
            result = read_file(file)
            spent.append(time.perf_counter() - began)
        middle, size = sorted(spent)[len(spent) // 2], file.stat().st_size / 1e6
        document = {"file": file.name, "mb": round(size, 3), "pieces": result.pieces, "s": round(middle, 3)}
        show(measured({**document, "s_per_mb": round(middle / size, 3)}), as_json)
