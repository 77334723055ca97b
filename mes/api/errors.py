"""The one place where an error of the product becomes an HTTP answer: RFC 9457 problem documents, never a traceback."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from mes.api.texts import language_of, translate
from mes.core import errors

Log = logging.getLogger("mes.api")

STATUS: dict[type[errors.MesError], int] = {
    errors.NotFound: 404,
    errors.NotPermitted: 403,
    errors.RuleBroken: 409,
    errors.IntakeRejected: 422,
    errors.ConfigError: 422,
    errors.PlanError: 422,
    errors.PlcError: 503,
    errors.StoreFull: 507,
    errors.StoreError: 503,
    errors.MesError: 500,
}
STATUS_OF_CODE: dict[str, int] = {
    "login_needed": 401,
    "login_failed": 401,
    "too_many_tries": 429,
    "too_many_streams": 429,
    "code_invalid": 404,
}
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "media_type_unsupported"}


def status_of(error: errors.MesError) -> int:
    """The HTTP status of a deliberate error: by its code, else by the nearest class of the error tree."""
    by_class = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    return STATUS_OF_CODE.get(error.code, by_class)


def problem_body(status: int, code: str, detail: str, *, hint: str = "", language: str = "en", **more: Any) -> Any:
    """An RFC 9457 document: `title` in the reader's language, `detail` the one clear sentence, `code` the stable slug."""
    return {
        "type": f"urn:mes:problem:{code}",
        "title": translate(language, f"problem {code}", default=code.replace("_", " ")),
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        **more,
    }


def problem(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        dict(body), status_code=int(body["status"]), headers=dict(headers or {}), media_type="application/problem+json"
    )


def body_of(error: errors.MesError, language: str = "en") -> dict[str, Any]:
    """The problem document of a deliberate error, with its findings or faults."""
    more: dict[str, Any] = {}
    if isinstance(error, errors.IntakeRejected):
        more["findings"] = [vars(finding) for finding in error.findings]
    if isinstance(error, errors.ConfigError):
        more["faults"] = [vars(fault) for fault in error.faults]
    if error.data:
        more["data"] = error.data
    body: dict[str, Any] = problem_body(
        status_of(error), error.code, str(error), hint=error.hint, language=language, **more
    )
    return body


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page (and not a program for data)."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


async def _mes_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.MesError)
    if error.code == "login_needed" and request.method == "GET" and wants_page(request):
        return RedirectResponse(f"/login?next={request.url.path}", status_code=303)
    status = status_of(error)
    if status >= 500:
        Log.warning("%s %s: %s", request.method, request.url.path, error)
    return _answer(request, body_of(error, language_of(request)))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "http_error")
    detail = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.method} is not possible at {request.url.path}.",
        413: "What was sent is larger than this address takes.",
    }.get(error.status_code, str(error.detail))
    body = problem_body(error.status_code, code, detail, language=language_of(request))
    return _answer(request, body, error.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"path": ".".join(str(part) for part in item["loc"]), "code": str(item["type"]), "message": str(item["msg"])}
        for item in error.errors()
    ]
    first = f": {faults[0]['path']}: {faults[0]['message']}" if faults else ""
    detail = f"The request has {len(faults)} fault(s){first}."
    return _answer(request, problem_body(422, "request_invalid", detail, language=language_of(request), faults=faults))


async def _crash(request: Request, error: Exception) -> Response:
    Log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    body = problem_body(
        500,
        "internal",
        "The program failed at this request.",
        hint="The log of the server says where.",
        language=language_of(request),
    )
    return _answer(request, body)


def _answer(request: Request, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    render = getattr(request.app.state, "render_problem", None)
    if render is not None and wants_page(request):
        page: Response = render(request, dict(body))
        return page
    return problem(body, headers)


def install_errors(app: FastAPI) -> None:
    """Pages put their own picture of a problem into `app.state.render_problem`."""
    app.add_exception_handler(errors.MesError, _mes_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _crash)
