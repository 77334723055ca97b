"""Read models of the screens: where a mark is written, and how measured times are told."""

from mes.core.geometry import Outline, rectangle
from mes.store.views.shapes import label_point


def test_a_mark_is_written_beside_an_opening_not_in_it() -> None:
    plain = rectangle(4000, 2000)
    assert label_point(plain) == (2000, 1000)
    window = ((1500.0, 600.0), (2500.0, 600.0), (2500.0, 1400.0), (1500.0, 1400.0))
    x, y = label_point(Outline(contour=plain.contour, openings=(window,)))
    assert x == 2000
    assert 1400 < y < 2000
