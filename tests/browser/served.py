"""The seeded plant of tests/api behind a real uvicorn on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from tests.api.house import House, open_house


class Served:
    """`stop()` cuts the server off as a crash would: open streams end, new connections are refused."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(house.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        async with asyncio.timeout(20):
            while not self._server.started:
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._task is None:
            return
        self.house.app.state.hub.close()
        self._server.should_exit = True
        await asyncio.wait([self._task], timeout=20)
        self._task = None


@asynccontextmanager
async def serve(folder: Path) -> AsyncIterator[Served]:
    async with open_house(folder) as house:
        served = Served(house)
        await served.start()
        try:
            yield served
        finally:
            await served.stop()
