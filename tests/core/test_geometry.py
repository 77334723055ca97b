"""Outlines on pallets."""

from hypothesis import given
from hypothesis import strategies as st

from mes.core.geometry import Outline, Pose, rectangle, ring_area

SIZE = st.integers(100, 9000)


@given(SIZE, SIZE, st.integers(0, 5000), st.integers(0, 2000), st.sampled_from([0, 90, 180, 270]))
def test_a_placed_outline_starts_at_its_pose_and_keeps_its_area(
    length: int, width: int, x: int, y: int, angle: int
) -> None:
    hole = ((10.0, 20.0), (50.0, 20.0), (50.0, 60.0), (10.0, 60.0))
    placed = Outline(rectangle(length, width).contour, (hole,)).placed(Pose(x, y, angle))
    assert min(px for px, _ in placed.contour) == x
    assert min(py for _, py in placed.contour) == y
    assert abs(ring_area(placed.contour) - length * width) < 1
    assert abs(ring_area(placed.openings[0]) - 1600) < 1e-3
    swapped = angle in (90, 270)
    assert (round(placed.length), round(placed.width)) == ((width, length) if swapped else (length, width))


def test_an_opening_turns_with_its_piece() -> None:
    piece = Outline(rectangle(1000, 500).contour, (((0.0, 0.0), (100.0, 0.0), (100.0, 50.0), (0.0, 50.0)),))
    turned = piece.placed(Pose(0, 0, 90))
    assert max(x for x, _ in turned.openings[0]) == 500
    assert min(y for _, y in turned.openings[0]) == 0
