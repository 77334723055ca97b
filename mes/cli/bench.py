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


@bench.command("faults")
def faults(
    mode: Annotated[str, typer.Option(help="mes: the MES alone; group: the whole demo with its PLCs.")] = "mes",
    kills: Annotated[int, typer.Option(min=1)] = 5,
    seed: Annotated[int, typer.Option()] = 1,
    ifc: Annotated[list[Path] | None, typer.Option(help="Model to make instead of the demo building.")] = None,
    within: Annotated[float, typer.Option(min=1, help="Seconds over which the kills are spread.")] = 60,
    speed: Annotated[float | None, typer.Option(min=0.1)] = None,
    data: Annotated[Path | None, typer.Option(help="Folder to keep; default is a temporary one.")] = None,
    as_json: Json = False,
) -> None:
    """The demo killed with SIGKILL at random moments: every piece must be made exactly once. Exit 1 when one was not."""
    import tempfile

    from mes.cli.bench_faults import Drill, sound

    with refusals(as_json), tempfile.TemporaryDirectory() as folder:
        document = Drill(data or Path(folder), ifc or [], mode, kills, seed, within, speed=speed).run()
        show(measured(document), as_json)
        if not sound(document):
            raise typer.Exit(1)


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


@bench.command("push")
def push(changes: Annotated[int, typer.Option(min=1)] = 240, as_json: Json = False) -> None:
    """Milliseconds from a changed PLC tag to the board in a real Chromium."""
    import asyncio

    from mes.cli.measure.push import bench_push

    with refusals(as_json):
        show(measured(asyncio.run(bench_push(changes))), as_json)


@bench.command("idle")
def idle(
    seconds: Annotated[float, typer.Option(min=1)] = 30,
    orders: Annotated[bool, typer.Option(help="With the demo building taken in and planned.")] = False,
    as_json: Json = False,
) -> None:
    """Memory and processor time of `mes run` with the demo plant and nothing to do."""
    import asyncio

    from mes.cli.measure.idle import bench_idle

    with refusals(as_json):
        show(measured(asyncio.run(bench_idle(seconds, orders=orders))), as_json)
