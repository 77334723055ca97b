"""Measured values: tail and segments give back what was written."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mes.core.ports import Sample, TelemetrySink
from mes.store.engine import make_engine
from mes.store.rows import table
from mes.store.telemetry import MemoryTelemetry, SqlTelemetry

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
_SINKS: tuple[type[TelemetrySink], ...] = (SqlTelemetry, MemoryTelemetry)


def row(count: int, tag: str = "chamber.temp", start: float = 0) -> list[Sample]:
    return [
        Sample(AT + timedelta(seconds=start + n, microseconds=n), tag, 20 + n / 7, n % 10 != 3) for n in range(count)
    ]


@pytest.fixture
def sink(url: str, tmp_path: Path) -> Iterator[SqlTelemetry]:
    sink = SqlTelemetry(url if url.startswith("postgresql") else f"sqlite:///{tmp_path}/telemetry.db")
    yield sink
    sink.close()


def test_history_is_whole_before_and_after_flush_and_roll(sink: SqlTelemetry) -> None:
    samples = row(1100)
    sink.write(reversed(samples[:600]))
    end = AT + timedelta(days=1)
    assert sink.history("chamber.temp", AT, end) == samples[:600]
    sink.flush()
    assert sink.roll() >= 2
    sink.write(samples[600:])
    assert sink.history("chamber.temp", AT, end) == samples
    sink.flush()
    sink.roll()
    sink.roll(tail_s=0)
    assert sink.history("chamber.temp", AT, end) == samples
    assert sink.history("chamber.temp", samples[10].at, samples[900].at) == samples[10:901]
    assert sink.history("other", AT, end) == []


def test_late_sample_at_the_start_of_a_segment_is_merged(sink: SqlTelemetry) -> None:
    samples = row(20)
    sink.write(samples)
    sink.flush()
    assert sink.roll(tail_s=0) == 1
    late = Sample(AT + timedelta(seconds=0.5), "chamber.temp", 1.0)
    sink.write([samples[0], late])
    sink.flush()
    sink.roll(tail_s=0)
    expected = sorted([*samples, late], key=lambda s: s.at)
    assert sink.history("chamber.temp", AT, AT + timedelta(hours=1)) == expected


def test_no_number_comes_back_as_no_number(sink: SqlTelemetry) -> None:
    sink.write([Sample(AT, "t", math.nan, False), Sample(AT + timedelta(seconds=1), "t", 5.0)])
    sink.flush()
    for _ in range(2):
        first, second = sink.history("t", AT, AT + timedelta(hours=1))
        assert math.isnan(first.value)
        assert (first.good, second.value) == (False, 5.0)
        sink.roll(tail_s=0)
    segment = table("tel_seg")
    with sink._engine.connect() as conn:
        found = conn.execute(select(segment.c.n, segment.c.n_good, segment.c.vmin, segment.c.vsum)).one()
    assert tuple(found) == (2, 1, 5.0, 5.0)


def test_prune_deletes_only_what_is_older(sink: SqlTelemetry) -> None:
    samples = row(1000)
    sink.write(samples)
    sink.flush()
    sink.roll(tail_s=0)
    assert sink.prune(samples[500].at) == 2
    assert sink.history("chamber.temp", AT, AT + timedelta(days=1)) == samples[500:]


def test_segments_are_small(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/t.db"
    sink = SqlTelemetry(url)
    for n in range(20):
        sink.write(row(1000, f"tag{n}"))
    sink.close()
    sink = SqlTelemetry(url)
    sink.roll(tail_s=0)
    sink.close()
    engine, segment = make_engine(url), table("tel_seg")
    with engine.connect() as conn:
        n, size = conn.execute(select(func.sum(segment.c.n), func.sum(func.length(segment.c.blob)))).one()
    engine.dispose()
    assert n == 20_000
    assert size / n < 17, "a sample is 17 bytes before compression"


def test_a_lost_database_keeps_samples_and_the_thread(sink: SqlTelemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise OSError("no database")

    with monkeypatch.context() as patch:
        patch.setattr("mes.store.telemetry.writing", broken)
        sink.write(row(5))
        with pytest.raises(OSError):
            sink.flush()
        sink._try(False)
        assert sink._failing
    sink._try(True)
    assert not sink._failing
    assert sink.history("chamber.temp", AT, AT + timedelta(hours=1)) == row(5)


def test_memory_sink_keeps_the_newest() -> None:
    sink = MemoryTelemetry(limit=3)
    sink.write(row(5))
    assert sink.history("chamber.temp", AT, AT + timedelta(hours=1)) == row(5)[2:]
