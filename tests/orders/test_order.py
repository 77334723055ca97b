"""Orders and their lines fold from events; need-by lists are read whole or refused whole."""

from datetime import UTC, date, datetime

import pytest

from mes.core.errors import IntakeRejected
from mes.core.event import Event
from mes.core.geometry import rectangle
from mes.orders import ComponentDraft, Order, OrderLine, Placement, StoreyDue
from mes.orders.due import match_due, parse_due
from mes.orders.order import KINDS, apply_order, apply_order_line, due_set, order_line_added, order_taken

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def draft(mark: str, *storeys: str) -> ComponentDraft:
    return ComponentDraft(
        mark=mark, name="预制外墙板", family="wall", building="1号楼", storey=storeys[0], quantity=len(storeys),
        length_mm=3000, width_mm=2800, thickness_mm=200, volume_m3=1.68, mass_kg=4200, concrete_class="C35",
        outline=rectangle(3000, 2800),
        placements=[Placement(global_id=f"id{i}", building="1号楼", storey=s) for i, s in enumerate(storeys)],
    )  # fmt: skip


def taken() -> Order:
    drafts = [draft("W1", "1层", "2层"), draft("W2", "2层")]
    data = order_taken("O1", project="P", file_name="a.ifc", file_sha256="00", source="precast", drafts=drafts)
    return apply_order(None, Event("order", "O1", "order_taken", AT, data=data))


def test_an_order_names_every_storey_of_its_pieces() -> None:
    order = taken()
    assert order.storeys == [StoreyDue(building="1号楼", storey="1层"), StoreyDue(building="1号楼", storey="2层")]
    assert order.line_ids == ["O1/W1", "O1/W2"]
    assert not order.released
    released = apply_order(order, Event("order", "O1", "order_released", AT))
    assert released.released
    assert Order.model_validate_json(released.model_dump_json()) == released


def test_a_line_keeps_its_draft_through_json() -> None:
    line = apply_order_line(
        None, Event("order_line", "O1/W1", "order_line_added", AT, data=order_line_added("O1", draft("W1", "1层")))
    )
    assert line.draft == draft("W1", "1层")
    assert line.line_id == "O1/W1"
    assert OrderLine.model_validate_json(line.model_dump_json()) == line


def test_kinds_and_unknown_events() -> None:
    assert [kind.name for kind in KINDS] == ["order", "order_line"]
    assert KINDS[0].group(taken()) == "P"
    with pytest.raises(ValueError, match="unknown"):
        apply_order(taken(), Event("order", "O1", "order_sung", AT))
    with pytest.raises(ValueError, match="never taken"):
        apply_order(None, Event("order", "O1", "order_released", AT))


def test_dates_are_set_and_taken_back() -> None:
    rows = match_due(
        taken(),
        parse_due("楼栋,楼层,需要日期,安装顺序\n1号楼,2层,2026年4月6日,2\n,1层,2026-04-01,1\n".encode("gb18030")),
    )
    order = apply_order(taken(), Event("order", "O1", "due_set", AT, data=due_set(rows)))
    assert [(s.storey, s.due, s.sequence) for s in order.storeys] == [
        ("1层", date(2026, 4, 1), 1),
        ("2层", date(2026, 4, 6), 2),
    ]
    back = apply_order(
        order, Event("order", "O1", "due_set", AT, data=due_set([StoreyDue(building="1号楼", storey="1层")]))
    )
    assert back.due_of("1号楼", "1层") == StoreyDue(building="1号楼", storey="1层")


def test_all_faulty_lines_are_named_at_once() -> None:
    text = "building,floor,need_by,sequence\nA,1,2026-02-30,1\nA,,2026-03-01,2\nA,2,2026-03-01,x\nA,3,2026-03-01,1\nA,3,2026-03-02,2\n"
    with pytest.raises(IntakeRejected) as caught:
        parse_due(text)
    assert [(f.code, f.where) for f in caught.value.findings] == [
        ("due_date", "line 2"), ("due_no_floor", "line 3"), ("due_sequence", "line 4"), ("due_repeated", "line 6"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"), [("", "due_empty"), ("a,b\n1,2\n", "due_header"), (b"\xff\xff", "due_encoding")]
)
def test_lists_that_are_none(text: str | bytes, code: str) -> None:
    with pytest.raises(IntakeRejected) as caught:
        parse_due(text)
    assert caught.value.code == code


def test_a_storey_that_the_order_has_not() -> None:
    with pytest.raises(IntakeRejected, match="storeys that the order does not have") as caught:
        match_due(taken(), parse_due("floor,need_by\n9层,2026-04-01\n"))
    assert caught.value.findings[0].where == "line 2"
