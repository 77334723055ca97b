"""The code of a component: ten random symbols and two check symbols that catch every one- and two-symbol error.

Alphabet: Crockford base 32. Check: Reed-Solomon over GF(32), x⁵+x²+1, α = 2 (two symbols, distance 3).
"""

import re

from mes.core.errors import RuleBroken

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DATA_SYMBOLS = 10
LENGTH = 12
FIELD_POLYNOMIAL = 0b100101

_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_URL = re.compile(r"^HTTPS?://[^/?#]+(?:/[^?#]*)?/C/(?P<id>[^/?#]+)/?(?:[?#].*)?$", re.IGNORECASE)


def encode(data10: str) -> str:
    """Ten data symbols as the printed code of twelve. Raises RuleBroken(code="code_invalid") on other input."""
    data = _symbols(data10)
    if len(data) != DATA_SYMBOLS:
        raise _invalid(f"A code has {DATA_SYMBOLS} data symbols, {data10!r} has {len(data)}.")
    s0, s1 = _sums(data)
    c1 = _times(s0 ^ s1, _ONE_OVER_1_PLUS_ALPHA)
    return "".join(ALPHABET[value] for value in (*data, s0 ^ c1, c1))


def new_code(random_number: int) -> str:
    """The code made from the lowest 50 bits of a random number; whoever stores it checks that it is unused."""
    bits = random_number & (1 << 5 * DATA_SYMBOLS) - 1
    return encode("".join(ALPHABET[bits >> 5 * i & 31] for i in reversed(range(DATA_SYMBOLS))))


def parse(text: str) -> str:
    """The code in what was scanned or typed: a label's address in any case, or the code with or without groups.

    Reads i and l as 1, o as 0. Raises RuleBroken(code="code_invalid") with one sentence that says what is wrong.
    """
    stripped = text.strip()
    found = _URL.match(stripped)
    if found is None and "://" in stripped:
        raise _invalid("This is the address of something else, not of a component.")
    symbols = _symbols(found["id"] if found else stripped)
    if len(symbols) != LENGTH:
        raise _invalid(f"A code has {LENGTH} symbols, this one has {len(symbols)}.")
    code = "".join(ALPHABET[value] for value in symbols)
    if not is_valid(code):
        raise _invalid(f"The code {printed(code)} has a wrong symbol: its check symbols do not fit.")
    return code


def is_valid(code: str) -> bool:
    """Whether twelve symbols in their normal form are a code: both check sums are zero."""
    if len(code) != LENGTH or any(symbol not in _VALUE for symbol in code):
        return False
    values = [_VALUE[symbol] for symbol in code]
    s0, s1 = _sums(values[:DATA_SYMBOLS])
    c0, c1 = values[DATA_SYMBOLS:]
    return s0 ^ c0 ^ c1 == 0 and s1 ^ c0 ^ _times(2, c1) == 0


def printed(code: str) -> str:
    """The code in three groups of four, as it stands on the label."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def url(base_url: str, code: str) -> str:
    """What the QR code says, in capitals so that QR's alphanumeric mode holds it: HTTPS://HOST/C/ID."""
    return f"{base_url.rstrip('/')}/C/{code}".upper()


def _symbols(text: str) -> list[int]:
    plain = text.upper().translate(_READ_AS)
    strange = sorted({symbol for symbol in plain if symbol not in _VALUE})
    if strange:
        raise _invalid(f"A code never has the symbol {strange[0]!r}.")
    return [_VALUE[symbol] for symbol in plain]


def _invalid(message: str) -> RuleBroken:
    return RuleBroken(
        message, code="code_invalid", hint="Scan the label again or type the twelve symbols printed below it."
    )


def _times(a: int, b: int) -> int:
    """Product in GF(32)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        b >>= 1
        a <<= 1
        if a & 32:
            a ^= FIELD_POLYNOMIAL
    return product


def _power(exponent: int) -> int:
    result = 1
    for _ in range(exponent):
        result = _times(result, 2)
    return result


_WEIGHT = tuple(tuple(_times(_power(i + 2), value) for value in range(32)) for i in range(DATA_SYMBOLS))
_ONE_OVER_1_PLUS_ALPHA = next(x for x in range(1, 32) if _times(x, 1 ^ 2) == 1)


def _sums(data: list[int]) -> tuple[int, int]:
    s0 = s1 = 0
    for place, value in enumerate(data):
        s0 ^= value
        s1 ^= _WEIGHT[place][value]
    return s0, s1
