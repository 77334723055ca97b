"""`mes import`, `mes plan`, `mes order …`."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from mes.cli.output import refusals, say, show
from mes.core.settings import Settings, read_settings

order = typer.Typer(no_args_is_help=True, help="Orders and their call-off.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Data = Annotated[Path | None, typer.Option(help="Data folder (default: MES_DATA or ./data).")]


def import_file(
    file: Annotated[Path, typer.Argument(help="IFC file.")],
    project: Annotated[str | None, typer.Option(help="Project; default is the one the file names.")] = None,
    profile: Annotated[str | None, typer.Option(help="Source profile, e.g. design for ordinary models.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Read and report only.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Takes in an order from a BIM file."""
    with refusals(as_json):
        document = (
            _read(file, profile, project)
            if dry_run
            else asyncio.run(_import(read_settings(data=data), file, profile, project))
        )
        show(document, as_json, _import_text)


def _read(file: Path, profile: str | None, project: str | None) -> dict[str, Any]:
    from mes.orders.intake.worker import read_file

    document: dict[str, Any] = read_file(file, profile=profile, project=project, progress=_progress).to_json()
    return document


async def _import(settings: Settings, file: Path, profile: str | None, project: str | None) -> dict[str, Any]:
    from mes.app import open_memory
    from mes.core.clock import system_clock

    house = await open_memory(settings, system_clock())
    try:
        return await house.commands.import_order(file, project, profile, "cli", _progress)
    finally:
        await house.close()


def _progress(done: int, of: int, what: str) -> None:
    say(f"  {done}/{of} {what}")


def _import_text(document: dict[str, Any]) -> str:
    rows = [
        f"{c['quantity']:>3} × {c['mark']:<14} {c['family']:<10} {c['length_mm']:.0f} × {c['width_mm']:.0f} × "
        f"{c['thickness_mm']:.0f} mm  {c['mass_kg']:.0f} kg  {c['concrete_class']}"
        for c in document["components"]
    ]
    excluded = [f"    {e['count']} × {e['source_class']} left out: {e['reason']}" for e in document["excluded"]]
    findings = [f"    {f['severity']}: {f['message']} {f['where']}" for f in document["findings"]]
    pieces = sum(c["quantity"] for c in document["components"])
    return "\n".join([*rows, *excluded, *findings, f"{pieces} pieces; order {document['order_id'] or '(dry run)'}"])


def plan(
    project: Annotated[str | None, typer.Option(help="Only orders of this project.")] = None,
    horizon_days: Annotated[int, typer.Option(help="Days shown of the plan.")] = 60,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for the search; not repeatable.")] = None,
    evaluations: Annotated[int, typer.Option(help="Search budget; the same budget gives the same plan.")] = 2000,
    seed: Annotated[int, typer.Option()] = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Plans all pieces that are on no pallet yet, and releases the plan to the line."""
    with refusals(as_json):
        budget = evaluations if time_limit is None else max(1, int(time_limit * 400))
        document = asyncio.run(_plan(read_settings(data=data), project, budget, seed))
        show(
            document,
            as_json,
            lambda d: f"Plan {d['plan_id']}: {len(d['pallets'])} pallets, {d['status']}, gap {d['gap']}",
        )


async def _plan(settings: Settings, project: str | None, evaluations: int, seed: int) -> dict[str, Any]:
    from mes.app import open_memory
    from mes.core.clock import system_clock
    from mes.orders.order import Order

    house = await open_memory(settings, system_clock())
    try:
        ids = [o.order_id for o in house.store.find(Order, project)]
        return await house.commands.release_plan(ids, "cli", seed=seed, evaluations=evaluations)
    finally:
        await house.close()


@order.command("set-due")
def set_due_command(
    project: Annotated[str, typer.Argument()],
    file: Annotated[Path, typer.Argument()],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Need-by date and erection sequence for each building and floor, from a CSV (building,floor,need_by,sequence)."""
    with refusals(as_json):
        show(asyncio.run(_set_due(read_settings(data=data), project, file)), as_json)


async def _set_due(settings: Settings, project: str, file: Path) -> dict[str, Any]:
    from mes.app import open_memory
    from mes.core.clock import system_clock
    from mes.core.errors import NotFound
    from mes.orders.due import match_due, parse_due
    from mes.orders.order import Order

    rows = parse_due(file.read_bytes())
    house = await open_memory(settings, system_clock())
    try:
        orders = house.store.find(Order, project)
        if not orders:
            raise NotFound(f"There is no order of project {project!r}.", hint="Import one first.")
        done = [await house.commands.set_due(o.order_id, match_due(o, rows), "cli") for o in orders]
        return {"project": project, "orders": [{"order_id": d["order_id"], "storeys": d["storeys"]} for d in done]}
    finally:
        await house.close()
