"""Accounts: argon2id password hashes, random first passwords and tokens, and the check of a password at login."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from mes.api.permissions import ROLE_PERMISSIONS
from mes.core.errors import RuleBroken
from mes.lines.plant import Users
from mes.store.people import People

HASHER = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=65536, parallelism=4),))
HASHES_AT_ONCE = 2
SHORTEST_PASSWORD = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class NewAccount:
    """An account as it is shown once: afterwards nobody can read its password."""

    name: str
    display: str
    roles: tuple[str, ...]
    password: str


def digest(secret: str) -> str:
    """How long random secrets (sessions, tokens) are stored: SHA-256, hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def random_password() -> str:
    """Four groups of four letters and digits that are not mistaken for one another: 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def create_user(
    people: People,
    name: str,
    *,
    display: str,
    roles: Sequence[str],
    password: str | None = None,
    language: str = "zh",
    actor: str = "system",
) -> NewAccount:
    """Makes an account; without a password a random one is made and returned.

    Raises RuleBroken with code user_name, role_unknown, password_short or user_exists.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", name):
        raise RuleBroken(f"{name!r} is no user name.", code="user_name", hint="Use letters, digits and . _ -")
    unknown = sorted(set(roles) - set(ROLE_PERMISSIONS))
    if unknown:
        raise RuleBroken(
            f"There is no role {unknown[0]!r}.", code="role_unknown", hint=f"Roles: {', '.join(ROLE_PERMISSIONS)}."
        )
    if people.get_user(name) is not None:
        raise RuleBroken(f"There is a user {name} already.", code="user_exists", hint="Choose another name.")
    secret = password or random_password()
    people.create_user(name, display, roles, password_hash=hash_password(secret), language=language, actor=actor)
    return NewAccount(name, display, tuple(roles), secret)


def hash_password(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise RuleBroken(
            f"A password needs {SHORTEST_PASSWORD} characters.", code="password_short", hint="Choose a longer one."
        )
    return HASHER.hash(password)


def set_password(people: People, name: str, password: str | None = None) -> str:
    """Gives an account a new password and returns it."""
    secret = password or random_password()
    people.set_password_hash(name, hash_password(secret))
    return secret


def create_token(people: People, user: str, label: str, *, actor: str = "system") -> str:
    """A token for a program that acts as `user`: `mes_…`, stored hashed, shown once."""
    token = f"mes_{secrets.token_urlsafe(32)}"
    people.create_token(user, digest(token), prefix=token[:8], label=label, actor=actor)
    return token


def ensure_demo_users(people: People, users: Users) -> dict[str, dict[str, str]]:
    """Makes the people of `users.yaml` that do not exist yet: name → {password, token}, shown once."""
    made = {}
    for entry in users.users:
        if people.get_user(entry.name) is None:
            display = entry.display.zh if entry.language == "zh" else entry.display.en
            account = create_user(people, entry.name, display=display, roles=entry.roles, language=entry.language)
            made[entry.name] = {"password": account.password, "token": create_token(people, entry.name, "demo")}
    return made


class PasswordCheck:
    """Checks passwords in threads, at most two at once: each takes 64 MiB. An unknown name takes as long as a known one."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(HASHES_AT_ONCE)
        self._nobody: str | None = None

    async def verify(self, password: str, password_hash: str | None) -> bool:
        async with self._slots:
            return await asyncio.to_thread(self._verify, password, password_hash)

    def _verify(self, password: str, password_hash: str | None) -> bool:
        if password_hash is None:
            self._nobody = self._nobody or HASHER.hash(secrets.token_hex(16))
            HASHER.verify(password, self._nobody)
            return False
        return HASHER.verify(password, password_hash)
