"""How a page is made: Jinja2 with escaping, the reader's language, plant time, and the looks of states."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mes.api.auth import Person
from mes.api.services import Services
from mes.api.texts import COOKIE, HTML_LANG, LANGUAGES, language_of, translate
from mes.lines.plant import Text
from mes.store.views.states import Show
from mes.tracking.code import printed
from mes.tracking.lifecycle import state_name

FOLDER = Path(__file__).parent.parent
NOBODY = Person("", "", (), frozenset())


class Pages:
    """Renders the templates of all screens."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._zone = ZoneInfo(services.plant.plant.plant.timezone)
        self._env = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._env.filters |= {"at": self.at, "code": printed, "num": number}
        self._stamp = str(max(int(path.stat().st_mtime) for path in (FOLDER / "static").iterdir()))

    def show(self, request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        """A page in the reader's language; a `?lang=` wish is remembered in a cookie."""
        language = language_of(request)
        person = getattr(request.state, "person", NOBODY)
        body = self._env.get_template(template).render(
            **values,
            _=lambda key, **fill: translate(language, key, **fill),
            term=lambda kind, key: translate(language, f"{kind} {key}", default=str(key).replace("_", " ")),
            name=lambda text: in_language(text, language),
            state=lambda lifecycle: state_name(lifecycle, language),
            lang=language,
            html_lang=HTML_LANG[language],
            other_lang=next(other for other in LANGUAGES if other != language),
            here=request.url.path,
            person=person,
            plant=self._services.plant.plant.plant,
            stamp=self._stamp,
        )
        response = HTMLResponse(body, status_code=status)
        wish = request.query_params.get("lang")
        if wish in LANGUAGES:
            response.set_cookie(COOKIE, wish, max_age=31_536_000, samesite="lax", httponly=True)
        return response

    def at(self, moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
        """A moment in the plant's own time."""
        return "–" if moment is None else moment.astimezone(self._zone).strftime(form)


def pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def in_language(text: Text | None, language: str) -> str:
    if text is None:
        return ""
    return text.zh if language == "zh" else text.en


def number(value: float | None, digits: int = 0) -> str:
    """A figure with thousands apart and a fixed number of digits."""
    return "–" if value is None else f"{value:,.{digits}f}".replace(",", "\u202f")


def state_texts(language: str) -> dict[str, dict[str, str]]:
    """Colour class, shape and text of every state, for screens that draw themselves."""
    return {
        show.id: {"css": show.value.css, "shape": show.value.shape, "text": translate(language, show.value.text)}
        for show in Show
    }


def render_problem(request: Request, body: Mapping[str, Any]) -> Response:
    """A problem as a page: one clear sentence and what to do."""
    language = language_of(request)
    code = body["code"]
    told = {
        "title": body["title"],
        "detail": translate(language, f"detail {code}", default=body["detail"]),
        "hint": translate(language, f"hint {code}", default=body["hint"]),
        "status": body["status"],
    }
    return pages_of(request).show(request, "shared/problem.html", told, int(body["status"]))
