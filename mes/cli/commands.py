"""All commands by name; each imports what it needs when it is called, so that `mes --help` is quick."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from mes.cli.bench import bench
from mes.cli.db import db
from mes.cli.orders import import_file, order, plan
from mes.cli.output import refusals, say, show
from mes.cli.people import certs, user
from mes.cli.plc import plc
from mes.core.settings import read_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="MES for precast concrete plants. 预制构件厂制造执行系统。",
)
app.command("import")(import_file)
app.command("plan")(plan)
app.add_typer(order, name="order")
app.add_typer(plc, name="plc")
app.add_typer(db, name="db")
app.add_typer(user, name="user")
app.add_typer(certs, name="certs")
app.add_typer(bench, name="bench")
config = typer.Typer(no_args_is_help=True, help="Plant folders: schemas for editors.")
app.add_typer(config, name="config")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


@app.command()
def demo(
    headless: Annotated[
        bool, typer.Option(help="No visible speed: as fast as the handshakes allow, on free ports.")
    ] = False,
    manual: Annotated[bool, typer.Option(help="No simulated crew: you sign and work at the stations.")] = False,
    speed: Annotated[float | None, typer.Option(min=0.1, help="Plant seconds per real second.")] = None,
    ifc: Annotated[list[Path] | None, typer.Option(help="Model to take in instead of the demo building.")] = None,
    until_complete: Annotated[bool, typer.Option(help="End when every piece is in the yard.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder of the demo's database and logs.")] = None,
    seed: Annotated[int, typer.Option()] = 1,
    as_json: Json = False,
) -> None:
    """The demo plant with simulated PLCs on real sockets, in your browser."""
    from mes.cli.demo import Demo, run_demo
    from mes.cli.demo_site import DemoSite

    with refusals(as_json):
        folder = data or read_settings().data / "demo"
        settings = read_settings(data=folder)
        missing = [path for path in ifc or [] if not path.is_file()]
        if missing:
            say(f"There is no file {missing[0]}.")
            raise typer.Exit(2)
        pace = speed or (1200.0 if headless else 60.0)
        run = Demo(DemoSite(folder), settings, pace, ifc or [], headless, manual, until_complete, seed)
        show(run_demo(run), as_json)


@app.command()
def run(
    role: Annotated[str, typer.Option(help="all, web, line or worker")] = "all",
    data: Annotated[Path | None, typer.Option()] = None,
    clock: Annotated[Path | None, typer.Option(hidden=True)] = None,
    links: Annotated[Path | None, typer.Option(hidden=True)] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    until_complete: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """The MES: web pages, lines and PLC links."""
    from mes.cli.run import RunOptions, run

    with refusals():
        options = RunOptions(clock, links, parent, until_complete, role)
        asyncio.run(run(read_settings(data=data), options))


@app.command()
def simulate(
    hours: Annotated[float, typer.Option(min=0.1)] = 8,
    seed: Annotated[int, typer.Option()] = 1,
    scenario: Annotated[str, typer.Option()] = "day",
    as_json: Json = False,
) -> None:
    """The whole plant on a virtual clock: the same seed gives the same events."""
    from mes.cli.simulate import simulate as run_simulation

    with refusals(as_json):
        show(run_simulation(hours=hours, seed=seed, scenario=scenario), as_json)


@app.command()
def label(
    codes: Annotated[list[str], typer.Argument(help="Codes of components.")],
    format: Annotated[str, typer.Option(help="svg, png or pdf")] = "pdf",
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("labels"),
    data: Annotated[Path | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """QR labels of components."""
    from mes.cli.labels import write_labels

    with refusals(as_json):
        files: list[str] = asyncio.run(write_labels(read_settings(data=data), codes, format, out))
        show({"files": files}, as_json, lambda document: "\n".join(document["files"]))


@config.command("schema")
def schema(
    out: Annotated[Path | None, typer.Option(help="Folder for the files; without it they are printed.")] = None,
    as_json: Json = False,
) -> None:
    """The JSON schemas of a plant folder's files, for editors."""
    from mes.cli.schema import schemas, write_schemas

    with refusals(as_json):
        if out is None:
            show(schemas(), True)
        else:
            show({"files": write_schemas(out)}, as_json, lambda document: "\n".join(document["files"]))
