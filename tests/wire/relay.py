"""A TCP relay between MES and PLC that a test can cut, freeze and open again."""

import asyncio
from contextlib import suppress


class Relay:
    def __init__(self, port: int) -> None:
        self.target, self.port, self.frozen = port, 0, False
        self._server: asyncio.Server | None = None
        self._pairs: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Closes the listener and every connection."""
        if self._server:
            self._server.close()
        for writer in self._pairs:
            writer.transport.abort()
        self._pairs.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(0)

    async def _accept(self, reader, writer) -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self._pairs += [writer, far_writer]
            for pair in ((reader, far_writer), (far_reader, writer)):
                task = asyncio.create_task(self._pump(*pair))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader, writer) -> None:
        with suppress(OSError, ConnectionError):
            while data := await reader.read(65536):
                while self.frozen:
                    await asyncio.sleep(0.05)
                writer.write(data)
                await writer.drain()
        with suppress(Exception):
            writer.close()
