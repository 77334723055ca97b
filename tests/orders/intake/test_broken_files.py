"""Broken, foreign and odd files get one clear sentence or a finding, never a trace."""

from pathlib import Path

import pytest

from mes.core.errors import IntakeRejected
from mes.orders.intake.ifc import read_ifc
from mes.orders.intake.worker import Limits, read_file, read_file_async


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda b: b"", "ifc_empty"),
        (lambda b: b"hello\n" * 50, "ifc_broken"),
        (lambda b: b[: len(b) // 2], "ifc_broken"),
        (lambda b: b[: len(b) // 2] + b"@@#;;'(((\n" + b[len(b) // 2 :], "ifc_broken"),
        (lambda b: b[: b.index(b"DATA;")] + b"DATA;\nENDSEC;\nEND-ISO-10303-21;\n", "ifc_broken"),
        (lambda b: b.replace(b"'IFC4'", b"'IFC2X_FINAL'"), "ifc_schema_unsupported"),
        (lambda b: b.replace(b"'IFC4'", b"'IFC4X3_RC2'"), "ifc_schema_unsupported"),
        (lambda b: b.replace(b"'IFC4'", b"'HOUSE1'"), "ifc_schema_unsupported"),
    ],
)
def test_unreadable_models_are_refused(demo_ifc: Path, tmp_path: Path, change, code: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.ifc"
    path.write_bytes(change(demo_ifc.read_bytes()))
    with pytest.raises(IntakeRejected) as caught:
        read_ifc(path, None, lambda done, total, stage: None)
    assert caught.value.code == code
    assert "bad.ifc" in str(caught.value)


def test_worker_hands_the_refusal_on(tmp_path: Path) -> None:
    path = tmp_path / "bad.ifc"
    path.write_bytes(b"ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC2X_FINAL'));\n")
    with pytest.raises(IntakeRejected, match="IFC2X_FINAL") as caught:
        read_file(path)
    assert caught.value.code == "ifc_schema_unsupported"
    assert caught.value.hint


def test_unknown_format_profile_and_missing_file(demo_ifc: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.docx").write_bytes(b"x")
    for path, profile, code in [
        (tmp_path / "plan.docx", None, "format_unknown"),
        (tmp_path / "none.ifc", None, "file_missing"),
        (demo_ifc, "no-such", "profile_unknown"),
    ]:
        with pytest.raises(IntakeRejected) as caught:
            read_file(path, profile=profile)
        assert caught.value.code == code


def test_a_reading_that_takes_too_long_is_ended(demo_ifc: Path) -> None:
    with pytest.raises(IntakeRejected) as caught:
        read_file(demo_ifc, limits=Limits(timeout_s=0.05))
    assert caught.value.code == "file_too_heavy"


async def test_async_reading_has_the_same_limits(demo_ifc: Path) -> None:
    with pytest.raises(IntakeRejected) as caught:
        await read_file_async(demo_ifc, limits=Limits(timeout_s=0.05))
    assert caught.value.code == "file_too_heavy"
    result = await read_file_async(demo_ifc, project="项目甲")
    assert result.project == "项目甲"
    assert result.pieces > 0


def test_a_placement_that_stands_on_itself_crashes_only_the_reader(demo_ifc: Path, tmp_path: Path) -> None:
    lines = demo_ifc.read_text("ascii").splitlines()
    for index, line in enumerate(lines):
        if "IFCLOCALPLACEMENT(" in line:
            own, axes = line.split("=")[0], line.split(",")[-1]
            lines[index] = f"{own}=IFCLOCALPLACEMENT({own},{axes}"
    path = tmp_path / "circle.ifc"
    path.write_text("\n".join(lines) + "\n", "ascii")
    try:
        result = read_file(path, limits=Limits(timeout_s=60, cpu_s=30))
    except IntakeRejected as error:
        assert error.code in ("file_broken", "file_too_heavy")  # noqa: PT017
    else:
        assert result.findings


def test_raw_chinese_text_and_twice_used_ids(demo_ifc: Path, tmp_path: Path) -> None:
    text = demo_ifc.read_text("ascii")
    first, second = _two_ids(text)
    raw = text.replace(second, first).replace("\\X2\\53F7697C\\X0\\", "号楼").replace("1\\X2\\5C42\\X0\\", "一层")
    path = tmp_path / "gbk.ifc"
    path.write_bytes(raw.encode("gb18030"))
    result = read_ifc(path, None, lambda done, total, stage: None)
    codes = [f.code for f in result.findings]
    assert "text_encoding" in codes
    assert "global_id_repeated" in codes
    assert "一层" in {d.storey for d in result.components}
    assert {d.building for d in result.components} == {"1号楼"}


def _two_ids(text: str) -> tuple[str, str]:
    ids = [line.split("'")[1] for line in text.splitlines() if "IFCCOLUMN(" in line]
    return ids[0], ids[1]
