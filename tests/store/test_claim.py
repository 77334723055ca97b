"""One process alone runs a line."""

import subprocess
import sys
from pathlib import Path

from mes.store.engine import claim, make_engine

OTHER = "import sys; from mes.store.engine import claim, make_engine; sys.exit(0 if claim(make_engine(sys.argv[1]), 'line-1') else 3)"


def taken_by_other(url: str) -> bool:
    return subprocess.run([sys.executable, "-c", OTHER, url], check=False).returncode == 3


def test_a_line_on_sqlite_has_one_owner(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mes.db"
    release = claim(make_engine(url), "line-1")
    assert release is not None
    assert taken_by_other(url)
    assert claim(make_engine(url), "line-2") is not None
    release()
    assert not taken_by_other(url)


def test_a_line_on_postgresql_has_one_owner(pg_url: str) -> None:
    release = claim(make_engine(pg_url), "line-1")
    assert release is not None
    assert taken_by_other(pg_url)
    release()
    assert not taken_by_other(pg_url)
