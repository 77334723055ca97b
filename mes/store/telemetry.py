"""Measured values over time: a raw tail that is appended to, and compressed segments it is rolled into.

A segment holds up to 250 samples of one tag: zlib of int64 time steps (µs), float64 values and one quality byte each,
with minimum, maximum and sum of the good ones beside it. Writing never blocks: samples wait in memory for a thread.
"""

import logging
import math
import sys
import threading
import zlib
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from mes.core.ports import Sample
from mes.store.engine import make_engine, writing
from mes.store.rows import METADATA, table

log = logging.getLogger(__name__)
TAIL, SEGMENT = table("tel_tail"), table("tel_seg")
SEGMENT_SIZE = 250
TAIL_S = 300.0
FLUSH_S = 0.25
ROLL_EVERY = 240
WAITING_LIMIT = 500_000
CODEC = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
Point = tuple[int, float, bool]
"""(µs since 1970, value, good)"""


class MemoryTelemetry:
    """A TelemetrySink that forgets at the end of the process; keeps the newest `limit` samples of each tag."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._tags: dict[str, deque[Sample]] = {}

    def write(self, samples: Iterable[Sample]) -> None:
        for sample in samples:
            self._tags.setdefault(sample.tag, deque(maxlen=self._limit)).append(sample)

    def history(self, tag: str, start: datetime, end: datetime) -> list[Sample]:
        found = [sample for sample in self._tags.get(tag, ()) if start <= sample.at <= end]
        return sorted(found, key=lambda sample: sample.at)


class SqlTelemetry:
    """The TelemetrySink on `sqlite:///telemetry.db` or PostgreSQL. A crash loses what was not flushed: under a second.

    When the database is away or its disk full, samples wait in memory up to a limit; then the oldest are dropped.
    """

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url, durable=False)
        self._waiting: deque[Sample] = deque(maxlen=WAITING_LIMIT)
        self._lock = threading.Lock()
        self._writing: list[Sample] = []
        self._write_lock = threading.Lock()
        self._end = threading.Event()
        self._failing = False
        dialect: Any = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(SEGMENT)
        names = ("t1", "n", "n_good", "vmin", "vmax", "vsum", "codec", "blob")
        new = {name: getattr(statement.excluded, name) for name in names}
        self._put_segment = statement.on_conflict_do_update(index_elements=["tag", "t0"], set_=new)
        with writing(self._engine) as conn, conn.begin():
            METADATA.create_all(conn, tables=[TAIL, SEGMENT])
        self._thread = threading.Thread(target=self._work, name="mes-telemetry", daemon=True)
        self._thread.start()

    def write(self, samples: Iterable[Sample]) -> None:
        with self._lock:
            self._waiting.extend(samples)

    def history(self, tag: str, start: datetime, end: datetime) -> list[Sample]:
        low, high = _micros(start), _micros(end)
        points: dict[int, Point] = {}
        with self._lock:
            fresh = [_point(s) for s in (*self._writing, *self._waiting) if s.tag == tag]
        with self._engine.connect() as conn, conn.begin():
            # Tail before segments: a roll in between shows a sample twice rather than never.
            rows = conn.execute(_tail_of(), {"tag": tag, "low": low, "high": high}).all()
            for blob, n in conn.execute(_segments_of(), {"tag": tag, "low": low, "high": high}):
                points.update({point[0]: point for point in unpack(blob, n)})
        points.update({row.ts: (row.ts, math.nan if row.val is None else row.val, row.good) for row in rows})
        points.update({point[0]: point for point in fresh})
        return [_sample(tag, points[ts]) for ts in sorted(points) if low <= ts <= high]

    def flush(self) -> None:
        """Writes what waits; returns when it is committed."""
        with self._write_lock:
            with self._lock:
                self._writing = list(self._waiting)
                self._waiting.clear()
            if not self._writing:
                return
            rows = [_tail_row(sample) for sample in self._writing]
            try:
                with writing(self._engine) as conn, conn.begin():
                    conn.execute(insert(TAIL), rows)
            except BaseException:
                with self._lock:
                    self._waiting.extendleft(reversed(self._writing[: WAITING_LIMIT - len(self._waiting)]))
                    self._writing = []
                raise
            with self._lock:
                self._writing = []

    def roll(self, tail_s: float = TAIL_S) -> int:
        """Moves full rows of 250 samples, and tags older than `tail_s` behind the newest sample, into segments.

        Returns the number of segments written; the move is one transaction.
        """
        with self._write_lock, writing(self._engine) as conn, conn.begin():
            newest = conn.execute(select(func.max(TAIL.c.ts))).scalar()
            if newest is None:
                return 0
            old = newest - int(tail_s * 1e6)
            counts = select(TAIL.c.tag).group_by(TAIL.c.tag)
            ripe = counts.having((func.count() >= SEGMENT_SIZE) | (func.min(TAIL.c.ts) <= old))
            made = 0
            for tag in conn.execute(ripe).scalars().all():
                made += self._roll_tag(conn, tag, old)
            return made

    def prune(self, before: datetime) -> int:
        """Deletes segments and tail samples that end before a time; returns how many rows went."""
        limit = _micros(before)
        with self._write_lock, writing(self._engine) as conn, conn.begin():
            gone = conn.execute(delete(SEGMENT).where(SEGMENT.c.t1 < limit)).rowcount
            return gone + conn.execute(delete(TAIL).where(TAIL.c.ts < limit)).rowcount

    def close(self) -> None:
        """Flushes and ends the thread."""
        self._end.set()
        self._thread.join()
        self._engine.dispose()

    def _roll_tag(self, conn: Connection, tag: str, old: int) -> int:
        rows = conn.execute(select(TAIL).where(TAIL.c.tag == tag).order_by(TAIL.c.ts, TAIL.c.id)).all()
        take = len(rows) if rows[0].ts <= old else len(rows) // SEGMENT_SIZE * SEGMENT_SIZE
        points = {row.ts: (row.ts, math.nan if row.val is None else row.val, row.good) for row in rows[:take]}
        ordered = sorted(points.values())
        segments = [_segment(tag, ordered[i : i + SEGMENT_SIZE]) for i in range(0, len(ordered), SEGMENT_SIZE)]
        for segment in segments:
            query = select(SEGMENT.c.blob, SEGMENT.c.n).where(SEGMENT.c.tag == tag, SEGMENT.c.t0 == segment["t0"])
            known = conn.execute(query).first()
            if known is not None:
                merged = {point[0]: point for point in unpack(known.blob, known.n)}
                merged.update({point[0]: point for point in unpack(segment["blob"], segment["n"])})
                segment.update(_segment(tag, [merged[ts] for ts in sorted(merged)]))
        conn.execute(self._put_segment, segments)
        conn.execute(delete(TAIL).where(TAIL.c.id == bindparam("row")), [{"row": row.id} for row in rows[:take]])
        return len(segments)

    def _work(self) -> None:
        turn = 0
        while not self._end.wait(FLUSH_S):
            turn += 1
            self._try(turn % ROLL_EVERY == 0)
        self._try(False)

    def _try(self, roll: bool) -> None:
        try:
            self.flush()
            if roll:
                self.roll()
        except Exception as error:  # noqa: BLE001  telemetry outlives a full disk and a lost server
            log.log(logging.DEBUG if self._failing else logging.WARNING, "telemetry: cannot be written: %s", error)
            self._failing = True
            return
        if self._failing:
            log.info("telemetry: is written again")
            self._failing = False


def pack(points: Sequence[Point]) -> bytes:
    """The blob of samples in order of time; little-endian."""
    times = array("q", [points[0][0], *(b[0] - a[0] for a, b in pairwise(points))])
    values = array("d", [point[1] for point in points])
    if sys.byteorder == "big":
        times.byteswap()
        values.byteswap()
    return zlib.compress(times.tobytes() + values.tobytes() + bytes(point[2] for point in points), 1)


def unpack(blob: bytes, n: int) -> list[Point]:
    """The `n` samples of a blob."""
    raw = zlib.decompress(blob)
    times, values = array("q", raw[: 8 * n]), array("d", raw[8 * n : 16 * n])
    if sys.byteorder == "big":
        times.byteswap()
        values.byteswap()
    ts, points = 0, []
    for step, value, good in zip(times, values, raw[16 * n :], strict=True):
        ts += step
        points.append((ts, value, bool(good)))
    return points


def _segment(tag: str, points: Sequence[Point]) -> dict[str, Any]:
    good = [value for _, value, ok in points if ok and math.isfinite(value)]
    return {
        "tag": tag,
        "t0": points[0][0],
        "t1": points[-1][0],
        "n": len(points),
        "n_good": len(good),
        "vmin": min(good, default=None),
        "vmax": max(good, default=None),
        "vsum": math.fsum(good) if good else None,
        "codec": CODEC,
        "blob": pack(points),
    }


def _tail_of() -> Any:
    query = select(TAIL.c.ts, TAIL.c.val, TAIL.c.good).where(TAIL.c.tag == bindparam("tag"))
    return query.where(TAIL.c.ts.between(bindparam("low"), bindparam("high"))).order_by(TAIL.c.id)


def _segments_of() -> Any:
    query = select(SEGMENT.c.blob, SEGMENT.c.n).where(SEGMENT.c.tag == bindparam("tag"))
    return query.where(SEGMENT.c.t0 <= bindparam("high"), SEGMENT.c.t1 >= bindparam("low")).order_by(SEGMENT.c.t0)


def _tail_row(sample: Sample) -> dict[str, Any]:
    ts, value, good = _point(sample)
    return {"ts": ts, "tag": sample.tag, "val": value if math.isfinite(value) else None, "good": good}


def _point(sample: Sample) -> Point:
    return _micros(sample.at), float(sample.value), sample.good


def _sample(tag: str, point: Point) -> Sample:
    return Sample(_EPOCH + point[0] * _US, tag, point[1], point[2])


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _US
