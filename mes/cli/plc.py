"""`mes plc …`: check a plant folder, show the read plan of a link, settle a job that no machine can decide."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from mes.cli.output import REFUSED, refusals, say, show
from mes.core.errors import ConfigError, Fault
from mes.core.settings import Settings, read_settings

plc = typer.Typer(no_args_is_help=True, help="PLC links: check, plan, settle.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Data = Annotated[Path | None, typer.Option(help="Data folder (default: MES_DATA or ./data).")]


@plc.command("check")
def check(
    plant_dir: Annotated[Path, typer.Argument(help="Folder with plant.yaml and tags.yaml.")],
    timeout: Annotated[float, typer.Option(help="Seconds to wait for each link.")] = 5,
    as_json: Json = False,
) -> None:
    """Lists every fault of a plant folder with file and line; without faults it tries the links."""
    with refusals(as_json):
        faults = plant_faults(plant_dir)
        links: dict[str, Any] = {"links": [], "tags": []}
        if not faults:
            links = asyncio.run(_links(plant_dir, timeout))
        show({"faults": [vars(f) for f in faults], **links}, as_json, _check_text)
        if faults:
            say(f"The plant folder {plant_dir} has {len(faults)} fault(s). Mend them and check it again.")
            raise typer.Exit(REFUSED)


def plant_faults(folder: Path) -> list[Fault]:
    """All faults of both files at once, and of what one says about the other."""
    from mes.lines.machines import MACHINE_TYPES
    from mes.lines.plant_file import read_plant
    from mes.plc.tagmap import load_tagmap

    faults: list[Fault] = []
    for read in (partial(read_plant, machine_types=set(MACHINE_TYPES)), load_tagmap):
        try:
            read(folder)
        except ConfigError as error:
            faults += error.faults
    return faults + _links_unknown(folder)


def _links_unknown(folder: Path) -> list[Fault]:
    """Stations whose link stands in no tags.yaml; says nothing about files that cannot be read."""
    from mes.core.yamlfile import YamlFile
    from mes.lines.plant_file import stations_of

    try:
        plant, tags = YamlFile(folder / "plant.yaml"), YamlFile(folder / "tags.yaml")
    except ConfigError:
        return []
    links = tags.data.get("links") if isinstance(tags.data, dict) else None
    known = set(links) if isinstance(links, dict) else set()
    return [
        plant.fault(
            [*where, "link"],
            "link_unknown",
            f"station {station.get('id')!r} names link {station['link']!r}, which tags.yaml does not have",
        )
        for where, station in stations_of(plant.data)
        if station.get("link") is not None and station["link"] not in known
    ]


async def _links(folder: Path, timeout: float) -> dict[str, Any]:
    from mes.plc.commissioning import check_links
    from mes.plc.tagmap import load_tagmap

    return dict(await check_links(load_tagmap(folder / "tags.yaml"), timeout))


def _check_text(document: dict[str, Any]) -> str:
    faults = [Fault(**fault).line_of_text for fault in document["faults"]]
    links = [f"link {link['link']}: {link['state']} {link['reason']}" for link in document["links"]]
    return "\n".join(faults or [*links, "No faults."])


@plc.command("plan")
def plan(
    plant_dir: Annotated[Path, typer.Argument()], link: Annotated[str, typer.Argument()], as_json: Json = False
) -> None:
    """The requests that read a Modbus link: blocks, words and waste."""
    from mes.plc.commissioning import plan as read_plan
    from mes.plc.tagmap import load_tagmap

    with refusals(as_json):
        show(dict(read_plan(load_tagmap(plant_dir / "tags.yaml"), link)), True)


@plc.command("watch")
def watch(
    plant_dir: Annotated[Path, typer.Argument()],
    link: Annotated[str, typer.Argument()],
    seconds: Annotated[float, typer.Option(help="How long to look.")] = 5,
    as_json: Json = False,
) -> None:
    """The tags of one link with quality, reason and number of changes."""
    from mes.plc.commissioning import watch as watch_link
    from mes.plc.tagmap import load_tagmap

    with refusals(as_json):
        show(dict(asyncio.run(watch_link(load_tagmap(plant_dir / "tags.yaml"), link, seconds))), True)


@plc.command("resolve")
def resolve(
    job: Annotated[str, typer.Argument(help="Job number.")],
    decision: Annotated[str, typer.Argument(help="done or scrap")],
    reason: Annotated[str, typer.Option(help="What you saw at the machine.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Settles a stopped job by a person's decision."""
    with refusals(as_json):
        if decision not in ("done", "scrap"):
            say(f"{decision!r} is no decision; choose done or scrap.")
            raise typer.Exit(REFUSED)
        show(asyncio.run(_resolve(read_settings(data=data), job, decision, reason)), as_json)


async def _resolve(settings: Settings, job: str, decision: str, reason: str) -> dict[str, Any]:
    from mes.app import open_memory
    from mes.core.clock import system_clock

    house = await open_memory(settings, system_clock())
    try:
        settled = await house.commands.settle_job(job, decision, reason, "cli", ["shift_lead"], house.ids.uuid())
        return settled.model_dump(mode="json")
    finally:
        await house.close()
