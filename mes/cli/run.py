"""`mes run`: the MES itself in one process: web, lines and PLC links."""

import asyncio
import json
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from mes.api.accounts import create_user
from mes.app import House, claim_lines, open_lines, open_links, open_memory, read_clock
from mes.app_web import web_app
from mes.cli.demo import need_free_port
from mes.cli.messages import open_messages
from mes.cli.output import say
from mes.core.errors import MesError, NotFound
from mes.core.settings import Settings
from mes.flows.line.progress import complete

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COMPLETE_S = 0.5
ROLES = ("all", "web", "line", "worker")


@dataclass(frozen=True)
class RunOptions:
    """`parent` is the process whose end ends this one; `until_complete` ends when every ordered piece is made."""

    clock: Path | None = None
    links: Path | None = None
    parent: int | None = None
    until_complete: bool = False
    role: str = "all"


async def run(settings: Settings, options: RunOptions) -> None:
    """Serves until stopped. Prints one JSON line on standard output when it is ready."""
    if options.role not in ROLES:
        raise NotFound(f"There is no role {options.role!r}.", hint=f"Choose one of {', '.join(ROLES)}.")
    certificate = settings.certificate
    if settings.http_host not in LOOPBACK and not certificate.exists():
        raise MesError(
            f"{settings.http_host} is reached from other machines and there is no certificate in {certificate.parent}.",
            code="certificate_missing",
            hint="Make one with `mes certs server`, or serve on 127.0.0.1.",
        )
    need_free_port(settings.http_host, settings.http_port)
    house = await open_memory(settings, read_clock(options.clock))
    try:
        if options.role in ("all", "web"):
            _first_account(house)
        addresses = json.loads(options.links.read_text(encoding="utf-8")) if options.links else {}
        if options.role in ("all", "line"):
            claim_lines(house)
            open_links(house, addresses, random.Random())
            open_lines(house)
        if options.role != "web":
            open_messages(house)
        await _serve(house, settings, options, certificate)
    finally:
        await house.close()


def _first_account(house: House) -> None:
    """An empty plant gets an administrator whose random password is printed once, on standard error."""
    if house.people.users():
        return
    made = create_user(house.people, "admin", display="Administrator", roles=["admin"])
    say(f"First start: log in as admin with the password {made.password}  It is shown once.")


async def _serve(house: House, settings: Settings, options: RunOptions, certificate: Path) -> None:
    https = certificate.exists()
    app = web_app(house, https=https)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=str(certificate) if https else None,
        ssl_keyfile=str(certificate.with_name("server.key")) if https else None,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]

    def stop() -> None:
        app.state.hub.close()
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    serving = asyncio.create_task(server.serve())
    watching = asyncio.create_task(_watch(house, stop, options))
    while not server.started and not serving.done():
        await asyncio.sleep(0.05)
    if server.started:
        sys.stdout.write(json.dumps({"ready": True, "url": settings.url}) + "\n")
        sys.stdout.flush()
    await serving
    watching.cancel()


async def _watch(house: House, stop: Callable[[], None], options: RunOptions) -> None:
    while True:
        await asyncio.sleep(COMPLETE_S)
        if options.parent is not None and os.getppid() != options.parent:
            logging.getLogger("mes").warning("the parent process is gone")
            stop()
        if options.until_complete and complete(house.store):
            stop()
