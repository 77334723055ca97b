"""What is committed and what is not: a licence, locks with hashes, no third-party code, no address of another host."""

import json
import re
import subprocess
import tomllib

import pytest

from tests.contracts.house import ROOT

EXACT = re.compile(r"^\d+\.\d+\.\d+$")
THIRD_PARTY = re.compile(
    r"(^|/)(node_modules|_web|_fonts|_nodesets)/|\.min\.(js|css)$|nodeset2?\.xml$|\.(ttf|otf|woff2?)$", re.IGNORECASE
)
LINE_OF_A_BUNDLE = 1000


def _tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone: what is committed cannot be listed")
    # A clone in a container may belong to another user.
    git = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    done = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name]


def test_the_licence_is_there() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"] == "Apache-2.0"


def test_no_third_party_code_is_committed() -> None:
    tracked = _tracked()
    assert [name for name in tracked if THIRD_PARTY.search(name)] == []
    scripts = [ROOT / n for n in tracked if n.endswith((".js", ".mjs", ".css")) and (ROOT / n).is_file()]
    bundled = [
        p for p in scripts if max(map(len, p.read_text(encoding="utf-8").splitlines()), default=0) > LINE_OF_A_BUNDLE
    ]
    assert bundled == []


def test_front_end_parts_are_exact_and_locked() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert [f"{name}@{version}" for name, version in wanted.items() if not EXACT.match(version)] == []
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


def test_uv_itself_is_pinned_by_hash() -> None:
    text = (ROOT / ".tools-requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"^uv==\d+\.\d+\.\d+ \\$", text, re.MULTILINE)
    assert "--hash=sha256:" in text


def test_no_page_loads_anything_from_another_host() -> None:
    outside = re.compile(r"""(?:src|href)\s*=\s*["'](?:https?:)?//|@import\s+url|url\(\s*["']?https?:""", re.IGNORECASE)
    pages = [
        p
        for pattern in ("*.html", "*.css", "*.js", "*.ts")
        for p in (ROOT / "mes").rglob(pattern)
        if "_web" not in p.parts
    ]
    hits = [f"{p.relative_to(ROOT)}" for p in pages if outside.search(p.read_text(encoding="utf-8"))]
    assert hits == []


def test_the_product_runs_without_the_engineers_shared_folder() -> None:
    folders = [
        p
        for f in ("mes", "simulators", "config")
        for p in (ROOT / f).rglob("*")
        if p.suffix in (".py", ".yaml", ".html")
    ]
    assert [
        str(p.relative_to(ROOT)) for p in folders if re.search(r"/work/|\.\./shared", p.read_text(encoding="utf-8"))
    ] == []
