"""Texts in the reader's language: gettext catalogues (mes/locale) read straight from their .po files at start.

The English text is the key; `zh` has its own catalogue. Chinese is the language of a browser that says nothing.
"""

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from starlette.requests import HTTPConnection

LANGUAGES = ("zh", "en")
HTML_LANG = {"zh": "zh-CN", "en": "en"}
COOKIE = "mes_lang"
FOLDER = Path(__file__).parent.parent / "locale"
_FOLDER_OF = {"zh": "zh_CN", "en": "en"}


@cache
def catalogue(language: str) -> dict[str, str]:
    """Key → text of one language; keys without a text are left out."""
    path = FOLDER / _FOLDER_OF[language] / "LC_MESSAGES" / "mes.po"
    with path.open("rb") as file:
        messages = read_po(file, locale=_FOLDER_OF[language])
    return {str(message.id): str(message.string) for message in messages if message.id and message.string}


def translate(language: str, key: str, *, default: str | None = None, **values: object) -> str:
    """The text of a key; `values` fill its {names}."""
    text = catalogue(language).get(key) or (key if default is None else default)
    return text.format(**values) if values else text


def language_of(request: HTTPConnection) -> str:
    """`?lang=` before the cookie before the person's own language before Chinese."""
    person = getattr(request.state, "person", None)
    wishes = (request.query_params.get("lang"), request.cookies.get(COOKIE), getattr(person, "language", None))
    return next((wish for wish in wishes if wish in LANGUAGES), "zh")
