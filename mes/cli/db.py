"""`mes db …`: upgrade, check, back up and restore the plant's memory."""

from pathlib import Path
from typing import Annotated

import typer

from mes.cli.output import refusals, show
from mes.core.settings import read_settings

db = typer.Typer(no_args_is_help=True, help="The plant's memory: upgrade, check, back up, restore.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Data = Annotated[Path | None, typer.Option(help="Data folder (default: MES_DATA or ./data).")]


@db.command("upgrade")
def upgrade_command(data: Data = None, as_json: Json = False) -> None:
    """Brings the database to this program's schema."""
    from mes.store.upkeep import upgrade

    with refusals(as_json):
        settings = read_settings(data=data)
        settings.data.mkdir(parents=True, exist_ok=True)
        upgrade(settings.database_url)
        show({"database": settings.database_url, "ok": True}, as_json)


@db.command("check")
def check_command(data: Data = None, as_json: Json = False) -> None:
    """Verifies the hash chain and compares the fold of the log with what is stored."""
    from mes.app_kinds import KINDS
    from mes.store.upkeep import check

    with refusals(as_json):
        problems = check(read_settings(data=data).database_url, KINDS)
        show(
            {"ok": not problems, "problems": problems},
            as_json,
            lambda d: "\n".join(d["problems"]) or "The memory is sound.",
        )
        if problems:
            raise typer.Exit(2)


@db.command("backup")
def backup_command(out: Annotated[Path, typer.Argument()], data: Data = None, as_json: Json = False) -> None:
    """Copies the database while it is in use."""
    from mes.store.upkeep import backup

    with refusals(as_json):
        backup(read_settings(data=data).database_url, out)
        show({"file": str(out)}, as_json)


@db.command("restore")
def restore_command(file: Annotated[Path, typer.Argument()], data: Data = None, as_json: Json = False) -> None:
    """Puts a backup in place of the database."""
    from mes.store.upkeep import restore

    with refusals(as_json):
        settings = read_settings(data=data)
        restore(file, settings.database_url)
        show({"database": settings.database_url}, as_json)
