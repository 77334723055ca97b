"""Codes: vectors, forms of writing, and that no one- or two-symbol error passes."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes.core.errors import RuleBroken
from mes.tracking import code

VECTORS = [("7K3M9QX2AB", "7K3M9QX2ABED"), ("0000000001", "000000000132"), ("1000000000", "100000000023")]


@pytest.mark.parametrize(("data", "whole"), VECTORS)
def test_published_vectors(data: str, whole: str) -> None:
    assert code.encode(data) == whole
    assert code.parse(whole) == whole


def _wrong(whole: str, places: tuple[int, ...]) -> int:
    """How many replacements of all the symbols at `places` are taken for a code."""
    if not places:
        return int(code.is_valid(whole))
    first, *rest = places
    return sum(
        _wrong(whole[:first] + symbol + whole[first + 1 :], tuple(rest))
        for symbol in code.ALPHABET
        if symbol != whole[first]
    )


def test_every_error_in_one_or_two_symbols_is_caught() -> None:
    whole = "7K3M9QX2ABED"
    assert sum(_wrong(whole, (place,)) for place in range(12)) == 0
    assert sum(_wrong(whole, pair) for pair in combinations(range(12), 2)) == 0


def test_an_error_in_three_symbols_can_pass_so_the_search_above_is_no_blank() -> None:
    assert _wrong("000000000000", (0, 10, 11)) > 0


@given(st.integers(min_value=0, max_value=2**63 - 1), st.data())
def test_sampled_codes_round_trip_and_catch_errors(number: int, data: st.DataObject) -> None:
    whole = code.new_code(number)
    assert code.parse(whole) == whole
    places = data.draw(st.lists(st.integers(0, 11), min_size=1, max_size=2, unique=True))
    broken = list(whole)
    for place in places:
        broken[place] = data.draw(st.sampled_from([s for s in code.ALPHABET if s != whole[place]]))
    with pytest.raises(RuleBroken):
        code.parse("".join(broken))


@given(st.integers(min_value=0, max_value=2**50 - 1), st.integers(0, 11), st.integers(0, 11))
def test_swapped_symbols_are_caught(number: int, a: int, b: int) -> None:
    symbols = list(code.new_code(number))
    if symbols[a] != symbols[b]:
        symbols[a], symbols[b] = symbols[b], symbols[a]
        assert not code.is_valid("".join(symbols))


@pytest.mark.parametrize(
    "text",
    [
        "7K3M-9QX2-ABED",
        " 7k3m 9qx2 abed ",
        "HTTPS://MES.EXAMPLE.CN/C/7K3M9QX2ABED",
        "https://mes.example.cn/c/7k3m9qx2abed",
        "http://127.0.0.1:8080/c/7K3M-9QX2-ABED/?from=label",
        "HTTPS://HOST/PREFIX/C/7K3M9QX2ABED",
    ],
)
def test_forms_of_writing(text: str) -> None:
    assert code.parse(text) == "7K3M9QX2ABED"


def test_letters_that_look_like_digits() -> None:
    assert code.parse("ioOoOoOoOoZ2".replace("Z2", "23")) == "100000000023"
    assert code.parse("l00000000023") == "100000000023"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "12 symbols"),
        ("7K3M9QX2ABE", "12 symbols"),
        ("7K3M9QX2ABEE", "check symbols"),
        ("7K3M9QX2ABEU", "'U'"),
        ("https://example.com/p/7K3M9QX2ABED", "something else"),
        ("构件7K3M9QX2AB", "never has the symbol"),
    ],
)
def test_refusals_say_why_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(RuleBroken, match=says) as caught:
        code.parse(text)
    assert caught.value.code == "code_invalid"
    assert caught.value.hint


def test_print_form_and_address() -> None:
    assert code.printed("7K3M9QX2ABED") == "7K3M-9QX2-ABED"
    assert code.url("https://mes.example.cn/", "7K3M9QX2ABED") == "HTTPS://MES.EXAMPLE.CN/C/7K3M9QX2ABED"
