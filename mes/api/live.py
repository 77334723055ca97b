"""The live channel: one picture of the plant, made once per tick, pushed to every screen by server-sent events.

A screen gets the whole picture first, then numbered deltas, and a `beat` each second. A slow screen skips frames: what
it missed it gets as one whole picture, never as a queue.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from mes.core.errors import NotPermitted

Log = logging.getLogger("mes.api.live")

TICK_S = 0.25
SETTLE_S = 0.03
BEAT_S = 1.0
KEPT_FRAMES = 24
STREAMS_PER_SESSION, STREAMS = 6, 500

Picture = Mapping[str, Mapping[str, Any]]
"""Section → key → JSON value, for example stations → mark → {…}."""


class Hub:
    """`draw()` gives the whole picture, `beat()` what goes into each beat. Mark what changed with `touch()`."""

    def __init__(
        self, draw: Callable[[], Picture], beat: Callable[[], Mapping[str, Any]], *, tick_s: float = TICK_S
    ) -> None:
        self._draw = draw
        self._beat = beat
        self._tick_s = tick_s
        self._picture: dict[str, dict[str, str]] = {}
        self._frames: deque[tuple[int, bytes]] = deque(maxlen=KEPT_FRAMES)
        self._changed = asyncio.Event()
        self._news = asyncio.Event()
        self._streams: dict[str, int] = {}
        self._closed = False
        self.seq = 0

    def touch(self) -> None:
        """Something on the picture changed. Cheap; to be called on the event loop."""
        self._changed.set()

    @property
    def streams(self) -> int:
        return sum(self._streams.values())

    async def run(self) -> None:
        """Draws whenever something changed and somebody watches, at most once per tick."""
        while not self._closed:
            await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            self._changed.clear()
            if self._streams and not self._closed:
                try:
                    self.refresh()
                except Exception:  # noqa: BLE001
                    Log.exception("the live picture could not be drawn")
            await asyncio.sleep(self._tick_s - SETTLE_S)

    def refresh(self) -> bool:
        """Draws the picture and, when it differs from the last one, makes the next frame of it."""
        fresh = {section: {k: _dump(v) for k, v in cells.items()} for section, cells in self._draw().items()}
        parts = []
        for section in sorted({*fresh, *self._picture}):
            old, new = self._picture.get(section, {}), fresh.get(section, {})
            cells = [f"{_dump(key)}:{text}" for key, text in new.items() if old.get(key) != text]
            cells += [f"{_dump(key)}:null" for key in old if key not in new]
            if cells:
                parts.append(f"{_dump(section)}:{{{','.join(cells)}}}")
        self._picture = fresh
        if not parts:
            return False
        self.seq += 1
        self._frames.append((self.seq, self._frame("delta", ",".join(parts))))
        news, self._news = self._news, asyncio.Event()
        news.set()
        return True

    def admit(self, session: str) -> None:
        """Raises NotPermitted(code="too_many_streams") when the session or the house has no stream left."""
        if self._streams.get(session, 0) >= STREAMS_PER_SESSION or self.streams >= STREAMS:
            raise NotPermitted(
                "Too many live pages are open.", code="too_many_streams", hint="Close another window of the board."
            )

    async def stream(self, session: str) -> AsyncIterator[bytes]:
        """The frames of one screen, for ever; ask `admit` first."""
        self._streams[session] = self._streams.get(session, 0) + 1
        try:
            self.refresh()
            yield self._snapshot()
            sent = self.seq
            loop = asyncio.get_running_loop()
            next_beat = loop.time()
            while not self._closed:
                news, now = self._news, loop.time()
                if now >= next_beat:
                    next_beat = now + BEAT_S
                    yield self._beat_frame()
                if sent < self.seq:
                    sent, frames = self.seq, self._since(sent)
                    yield frames
                    continue
                try:
                    await asyncio.wait_for(news.wait(), max(0.01, next_beat - loop.time()))
                except TimeoutError:
                    continue
        finally:
            self._streams[session] -= 1
            if not self._streams[session]:
                del self._streams[session]

    def close(self) -> None:
        """Ends all streams, so that a server can stop without waiting for its screens."""
        self._closed = True
        self._changed.set()
        self._news.set()

    def _since(self, sent: int) -> bytes:
        missing = [frame for seq, frame in self._frames if seq > sent]
        return b"".join(missing) if len(missing) == self.seq - sent else self._snapshot()

    def _snapshot(self) -> bytes:
        sections = ",".join(
            f"{_dump(section)}:{{{','.join(f'{_dump(k)}:{v}' for k, v in cells.items())}}}"
            for section, cells in self._picture.items()
        )
        return self._frame("snapshot", sections)

    def _frame(self, kind: str, sections: str) -> bytes:
        return f'id: {self.seq}\ndata: {{"type":"{kind}","seq":{self.seq},"cells":{{{sections}}}}}\n\n'.encode()

    def _beat_frame(self) -> bytes:
        return f"event: beat\ndata: {_dump({**self._beat(), 'seq': self.seq})}\n\n".encode()


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
