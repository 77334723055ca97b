"""People kept in memory: what mes/store/people.py offers, for tests that are not about storage."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any


@dataclass
class MemoryPeople:
    rows: dict[str, Any] = field(default_factory=dict)
    sessions: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    tries: list[tuple[str, bool, datetime]] = field(default_factory=list)

    def create_user(self, name: str, *, display: str, roles: Any, password_hash: str, language: str = "zh") -> None:
        self.rows[name] = SimpleNamespace(
            name=name, display=display, roles=list(roles), password_hash=password_hash, language=language, active=True
        )

    def get_user(self, name: str) -> Any:
        return self.rows.get(name)

    def users(self) -> list[Any]:
        return list(self.rows.values())

    def set_password_hash(self, name: str, password_hash: str) -> None:
        self.rows[name].password_hash = password_hash

    def create_session(self, id_hash: str, user: str, expires_at: datetime) -> None:
        self.sessions[id_hash] = SimpleNamespace(user=user, expires_at=expires_at)

    def find_session(self, id_hash: str) -> Any:
        return self.sessions.get(id_hash)

    def delete_session(self, id_hash: str) -> None:
        self.sessions.pop(id_hash, None)

    def add_token(self, token_hash: str, user: str, label: str) -> None:
        self.tokens[token_hash] = SimpleNamespace(user=user)

    def find_token(self, token_hash: str) -> Any:
        return self.tokens.get(token_hash)

    def record_try(self, key: str, ok: bool) -> None:
        self.tries.append((key, ok, datetime.now(UTC)))

    def failed_tries(self, key: str, since: datetime) -> int:
        return sum(1 for name, ok, at in self.tries if name == key and not ok and at > since)
