"""Who is asking: sessions, API tokens, the permission each route asks for, and the guard against forged requests."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from mes.api.accounts import PasswordCheck, digest
from mes.api.permissions import VIEW, permissions_of
from mes.api.services import Services
from mes.core.clock import Clock
from mes.core.errors import MesError, NotPermitted

SESSION_HOURS = 12
TRIES, TRIES_MINUTES = 5, 5
CACHE_S = 5.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Person:
    """Who asks. `csrf` is what unsafe requests of a browser session must repeat; programs with a token have none."""

    name: str
    display: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    language: str | None = None
    csrf: str = ""
    session: str = ""

    @property
    def known(self) -> bool:
        return bool(self.name)

    def may(self, permission: str) -> bool:
        return permission in self.permissions


class Access:
    """Knows people by cookie or token. One per app; `real_clock` times sessions, since plant time may run fast."""

    def __init__(self, services: Services, real_clock: Clock, *, https: bool, anonymous_view: bool) -> None:
        self._people = services.people
        self._clock = real_clock
        self._checks = PasswordCheck()
        self._cache: dict[str, tuple[float, Person]] = {}
        self.https = https
        self.cookie = "__Host-mes" if https else "mes"
        self.nobody = Person("", "", (), frozenset({VIEW}) if anonymous_view else frozenset())

    async def person(self, request: Request) -> Person:
        """The person of a request; nobody when there is no cookie or token, NotPermitted when the token is wrong."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._cached(f"token:{token}", lambda: self._by_token(token.strip()))
        session = request.cookies.get(self.cookie, "")
        if not session:
            return self.nobody
        return await self._cached(f"session:{session}", lambda: self._by_session(session))

    async def log_in(self, name: str, password: str, where: str) -> tuple[str, Person]:
        """Checks a password and opens a session; returns the secret for its cookie and whose it is.

        After five failures of a name or an address within five minutes nothing is checked (code too_many_tries).
        """
        keys = (f"user:{name}", f"ip:{where}")
        since = self._clock.now() - timedelta(minutes=TRIES_MINUTES)
        limits = (TRIES, TRIES * 4)
        for key, limit in zip(keys, limits, strict=True):
            if await asyncio.to_thread(self._people.failed_logins, key, since) >= limit:
                raise NotPermitted(
                    "Too many failed logins.", code="too_many_tries", hint=f"Wait {TRIES_MINUTES} minutes."
                )
        user = await asyncio.to_thread(self._people.get_user, name)
        usable = user.password_hash if user is not None and user.active else None
        good = await self._checks.verify(password, usable)
        for key in keys:
            await asyncio.to_thread(self._people.record_login, key, where, good)
        if not good:
            raise NotPermitted("The name or the password is wrong.", code="login_failed", hint="Try again.")
        secret = secrets.token_urlsafe(32)
        expires = self._clock.now() + timedelta(hours=SESSION_HOURS)
        csrf = secrets.token_urlsafe(24)
        await asyncio.to_thread(self._people.create_session, name, digest(secret), expires, csrf=csrf, terminal=where)
        return secret, await asyncio.to_thread(self._by_session, secret)

    async def log_out(self, person: Person) -> None:
        if person.session:
            self._cache.pop(f"session:{person.session}", None)
            await asyncio.to_thread(self._people.delete_session, digest(person.session))

    def set_cookie(self, response: Response, secret: str) -> None:
        response.set_cookie(
            self.cookie,
            secret,
            max_age=SESSION_HOURS * 3600,
            secure=self.https,
            httponly=True,
            samesite="lax",
            path="/",
        )

    def clear_cookie(self, response: Response) -> None:
        response.delete_cookie(self.cookie, path="/", secure=self.https, httponly=True, samesite="lax")

    async def _cached(self, key: str, find: Callable[[], Person]) -> Person:
        now = asyncio.get_running_loop().time()
        kept = self._cache.get(key)
        if kept is not None and now - kept[0] < CACHE_S:
            return kept[1]
        person = await asyncio.to_thread(find)
        if len(self._cache) > 2000:
            self._cache.clear()
        if person.known:
            self._cache[key] = (now, person)
        return person

    def _by_token(self, token: str) -> Person:
        row = self._people.find_token(digest(token))
        found = self._load(row.user_name, "", "") if row is not None else None
        if found is None:
            raise NotPermitted("This token is not valid.", code="login_needed", hint="Ask for a new one.")
        return found

    def _by_session(self, secret: str) -> Person:
        row = self._people.find_session(digest(secret))
        if row is None or row.expires_at <= self._clock.now():
            return self.nobody
        return self._load(row.user_name, secret, row.csrf) or self.nobody

    def _load(self, name: str, session: str, csrf: str) -> Person | None:
        user = self._people.get_user(name)
        if user is None or not user.active:
            return None
        permissions = permissions_of(user.roles)
        return Person(user.name, user.display_name, user.roles, permissions, user.language, csrf, session)


async def _know(request: Request) -> Person:
    access: Access = request.app.state.access
    person = await access.person(request)
    request.state.person = person
    return person


class Require:
    """The permission of a route; `permission` None marks it as open to everybody. A test walks all routes for it."""

    def __init__(self, permission: str | None) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Person:
        person = await _know(request)
        if request.method not in SAFE_METHODS:
            await _guard_against_forgery(request, person)
        if self.permission is None or person.may(self.permission):
            return person
        if not person.known:
            raise NotPermitted("Log in first.", code="login_needed", hint="Open /login, or send a token.")
        raise NotPermitted(
            f"{person.name} may not do this: it needs the right {self.permission}.",
            hint="Ask the administrator for a role that has it.",
            data={"permission": self.permission},
        )


def require(permission: str) -> Callable[[Request], Awaitable[Person]]:
    """Dependency of a route: the person, who has this permission. Raises NotPermitted (401 login_needed, or 403)."""
    return Require(permission)


public = Require(None)
Anybody = Annotated[Person, Depends(public)]


async def _guard_against_forgery(request: Request, person: Person) -> None:
    """Unsafe requests of browsers come from our own pages and repeat the session's token (header, or field `csrf`)."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site is not None and site not in ("same-origin", "none")
    if site is None and origin is not None:
        foreign = urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign:
        raise _forged("This request comes from another site.")
    if not person.session:
        return
    sent = request.headers.get("x-csrf-token", "")
    if not sent and "form" in request.headers.get("content-type", ""):
        sent = str((await request.form()).get("csrf", ""))
    if not secrets.compare_digest(sent.encode(), person.csrf.encode()):
        raise _forged("This request does not carry the token of the session.")


def _forged(message: str) -> MesError:
    return NotPermitted(message, code="forged_request", hint="Reload the page and try again.")
