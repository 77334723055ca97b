"""`mes user …` and `mes certs …`: accounts, tokens and certificates."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from mes.cli.output import refusals, say, show
from mes.core.settings import Settings, read_settings

user = typer.Typer(no_args_is_help=True, help="Accounts and API tokens.")
certs = typer.Typer(no_args_is_help=True, help="Certificates for HTTPS in the plant's own network.")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Data = Annotated[Path | None, typer.Option(help="Data folder (default: MES_DATA or ./data).")]


@user.command("add")
def add(
    name: Annotated[str, typer.Argument()],
    role: Annotated[
        list[str],
        typer.Option(help="operator, shift_lead, quality, planner, integrator, site or admin; may be given again"),
    ],
    display: Annotated[str, typer.Option()] = "",
    token: Annotated[bool, typer.Option(help="Also make an API token.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Makes an account; its random password is printed once."""
    with refusals(as_json):
        made = asyncio.run(_add(read_settings(data=data), name, display or name, role, token))
        say("Keep the password now: it is shown once.")
        show(
            made,
            as_json,
            lambda d: f"{d['name']}  {d['password']}" + (f"\ntoken {d['token']}" if d.get("token") else ""),
        )


async def _add(settings: Settings, name: str, display: str, roles: list[str], token: bool) -> dict[str, Any]:
    from mes.api.accounts import create_token, create_user
    from mes.app import open_memory
    from mes.core.clock import system_clock

    house = await open_memory(settings, system_clock())
    try:
        account = create_user(house.people, name, display=display, roles=roles)
        made: dict[str, Any] = {"name": name, "roles": roles, "password": account.password}
        if token:
            made["token"] = create_token(house.people, name, "cli")
        return made
    finally:
        await house.close()


@user.command("list")
def list_command(data: Data = None, as_json: Json = False) -> None:
    """All accounts."""
    with refusals(as_json):
        show(asyncio.run(_list(read_settings(data=data))), as_json)


async def _list(settings: Settings) -> dict[str, Any]:
    from mes.app import open_memory
    from mes.core.clock import system_clock

    house = await open_memory(settings, system_clock())
    try:
        return {
            "users": [
                {"name": u.name, "display": u.display_name, "roles": list(u.roles), "active": u.active}
                for u in house.people.users()
            ]
        }
    finally:
        await house.close()


@certs.command("server")
def server(
    host: Annotated[
        list[str], typer.Option(help="Name or address of this machine in the plant's network; may be given again")
    ],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Makes the plant's own CA (once) and a server certificate signed by it."""
    from mes.cli.certificates import make_server_certificate

    with refusals(as_json):
        show(make_server_certificate(read_settings(data=data).data / "certs", host), as_json)
