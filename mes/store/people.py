"""Who may act: users, open sessions, API tokens, tries to log in, and the audit of changes to them.

Hashes come ready made (`mes/api`); secrets are known here by their sha256 only. All calls are synchronous and short.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from mes.core.clock import Clock
from mes.core.errors import NotFound, RuleBroken
from mes.store.engine import translate, writing
from mes.store.rows import table

PERSON, SESSION, TOKEN = table("person"), table("session"), table("api_token")
LOGIN, AUDIT = table("login_attempt"), table("audit")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class User(_Row):
    name: str
    display_name: str
    roles: tuple[str, ...]
    password_hash: str | None = None
    pin_hash: str | None = None
    language: str = "zh"
    active: bool = True
    created_at: datetime


class Session(_Row):
    secret_sha256: str
    user_name: str
    csrf: str
    created_at: datetime
    expires_at: datetime
    terminal: str = ""


class Token(_Row):
    secret_sha256: str
    prefix: str
    user_name: str
    label: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked: bool = False


class People:
    """The rows of people in the store's database. Times are those of `clock`: the real one, since sessions must not end early where plant time is fast."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def create_user(
        self,
        name: str,
        display_name: str,
        roles: Sequence[str],
        *,
        password_hash: str | None = None,
        pin_hash: str | None = None,
        language: str = "zh",
        actor: str = "system",
    ) -> User:
        """Raises RuleBroken (user_exists) when the name is taken."""
        user = User(
            name=name,
            display_name=display_name,
            roles=tuple(roles),
            password_hash=password_hash,
            pin_hash=pin_hash,
            language=language,
            created_at=self._clock.now(),
        )
        row = {**user.model_dump(), "roles": list(roles)}
        detail = {"display_name": display_name, "roles": list(roles)}
        try:
            with writing(self._engine) as conn, conn.begin():
                conn.execute(insert(PERSON), row)
                self._audit(conn, actor, "user.create", name, detail)
        except IntegrityError as error:
            raise RuleBroken(f"There is already a user {name}.", code="user_exists") from error
        except DBAPIError as error:
            raise translate(error) from error
        return user

    def get_user(self, name: str) -> User | None:
        rows = self._read(select(PERSON).where(PERSON.c.name == name))
        return User.model_validate(rows[0]) if rows else None

    def users(self) -> list[User]:
        return [User.model_validate(row) for row in self._read(select(PERSON).order_by(PERSON.c.name))]

    def set_password_hash(self, name: str, password_hash: str | None, *, actor: str = "system") -> None:
        self._change(name, actor, "user.password", {"password_hash": password_hash}, {})

    def set_pin_hash(self, name: str, pin_hash: str | None, *, actor: str = "system") -> None:
        self._change(name, actor, "user.pin", {"pin_hash": pin_hash}, {})

    def set_roles(self, name: str, roles: Sequence[str], *, actor: str = "system") -> None:
        self._change(name, actor, "user.roles", {"roles": list(roles)}, {"roles": list(roles)})

    def set_language(self, name: str, language: str, *, actor: str = "system") -> None:
        self._change(name, actor, "user.language", {"language": language}, {"language": language})

    def set_active(self, name: str, active: bool, *, actor: str = "system") -> None:
        """A user who is switched off loses all open sessions."""
        self._change(name, actor, "user.active", {"active": active}, {"active": active})
        if not active:
            self.delete_sessions(name)

    def create_session(
        self, user_name: str, secret_sha256: str, expires_at: datetime, *, csrf: str, terminal: str = ""
    ) -> Session:
        session = Session(
            secret_sha256=secret_sha256,
            user_name=user_name,
            csrf=csrf,
            created_at=self._clock.now(),
            expires_at=expires_at,
            terminal=terminal,
        )
        self._write(insert(SESSION), session.model_dump())
        return session

    def find_session(self, secret_sha256: str) -> Session | None:
        """The open session, unless it has expired."""
        query = select(SESSION).where(SESSION.c.secret_sha256 == secret_sha256)
        rows = self._read(query.where(SESSION.c.expires_at > self._clock.now()))
        return Session.model_validate(rows[0]) if rows else None

    def delete_session(self, secret_sha256: str) -> None:
        self._write(delete(SESSION).where(SESSION.c.secret_sha256 == secret_sha256))

    def delete_sessions(self, user_name: str) -> None:
        self._write(delete(SESSION).where(SESSION.c.user_name == user_name))

    def delete_expired_sessions(self) -> None:
        self._write(delete(SESSION).where(SESSION.c.expires_at <= self._clock.now()))

    def create_token(
        self,
        user_name: str,
        secret_sha256: str,
        *,
        prefix: str,
        label: str,
        expires_at: datetime | None = None,
        actor: str = "system",
    ) -> Token:
        token = Token(
            secret_sha256=secret_sha256,
            prefix=prefix,
            user_name=user_name,
            label=label,
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        self._write(insert(TOKEN), token.model_dump())
        self.audit(actor, "token.create", user_name, {"prefix": prefix, "label": label})
        return token

    def find_token(self, secret_sha256: str) -> Token | None:
        """The token, unless it was revoked or has expired."""
        rows = self._read(select(TOKEN).where(TOKEN.c.secret_sha256 == secret_sha256, TOKEN.c.revoked.is_(False)))
        token = Token.model_validate(rows[0]) if rows else None
        return token if token and (token.expires_at is None or token.expires_at > self._clock.now()) else None

    def revoke_token(self, secret_sha256: str, *, actor: str = "system") -> None:
        self._write(update(TOKEN).where(TOKEN.c.secret_sha256 == secret_sha256).values(revoked=True))
        self.audit(actor, "token.revoke", secret_sha256[:8], {})

    def record_login(self, who: str, source: str, ok: bool) -> None:
        self._write(insert(LOGIN), {"who": who, "source": source, "ok": ok, "at": self._clock.now()})

    def failed_logins(self, who: str, since: datetime) -> int:
        """Failed tries since that time, and since the last one that went well."""
        good = select(func.max(LOGIN.c.id)).where(LOGIN.c.who == who, LOGIN.c.ok.is_(True)).scalar_subquery()
        query = select(func.count()).select_from(LOGIN)
        query = query.where(LOGIN.c.who == who, LOGIN.c.ok.is_(False), LOGIN.c.at >= since)
        return int(self._read(query.where(LOGIN.c.id > func.coalesce(good, 0)))[0][0])

    def audit(self, actor: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        """Records what was done to users, permissions, configuration."""
        with writing(self._engine) as conn, conn.begin():
            self._audit(conn, actor, action, subject, detail)

    def audits(self, limit: int = 200) -> list[dict[str, Any]]:
        """The newest audit rows first: id, at, actor, action, subject, detail."""
        rows = self._read(select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit))
        return [{**row._mapping, "detail": json.loads(row.detail)} for row in rows]

    def _audit(self, conn: Connection, actor: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        row = {"at": self._clock.now(), "actor": actor, "action": action, "subject": subject}
        conn.execute(insert(AUDIT), {**row, "detail": json.dumps(detail, sort_keys=True, ensure_ascii=False)})

    def _change(self, name: str, actor: str, action: str, values: dict[str, Any], detail: dict[str, Any]) -> None:
        with writing(self._engine) as conn, conn.begin():
            if conn.execute(update(PERSON).where(PERSON.c.name == name).values(**values)).rowcount == 0:
                raise NotFound(f"There is no user {name}.")
            self._audit(conn, actor, action, name, detail)

    def _read(self, query: Any) -> Sequence[Any]:
        try:
            with self._engine.connect() as conn:
                return conn.execute(query).all()
        except DBAPIError as error:
            raise translate(error) from error

    def _write(self, statement: Any, values: dict[str, Any] | None = None) -> None:
        try:
            with writing(self._engine) as conn, conn.begin():
                conn.execute(statement, values)
        except DBAPIError as error:
            raise translate(error) from error
