"""The tables of the plant's memory. Facts stand in `event` and are never changed; everything else can be rebuilt or ages out.

JSON that a hash or a fold rests on is kept as text, exactly as it was written. Times are UTC with microseconds.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text
from sqlmodel import JSON, Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
RUNNING_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class EventRow(SQLModel, table=True):
    """One fact. `seq` has no gap within a plant, `stream_seq` none within (kind, key); `hash` chains to `prev_hash`."""

    __tablename__ = "event"
    __table_args__ = (Index("uq_event_stream", "plant", "kind", "key", "stream_seq", unique=True),)
    plant: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str
    key: str
    stream_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    type: str
    at: datetime
    actor: str
    cmd_id: str | None = None
    data: str = Field(sa_column=Column(Text, nullable=False))
    prev_hash: str
    hash: str


class CommandRow(SQLModel, table=True):
    """A command that was carried out, its body's sha256 and its first answer (`answer_type` names a model, or is empty)."""

    __tablename__ = "command"
    plant: str = Field(primary_key=True)
    cmd_id: str = Field(primary_key=True)
    body_hash: str
    answer_type: str
    answer: str = Field(sa_column=Column(Text, nullable=False))
    actor: str
    at: datetime


class StateRow(SQLModel, table=True):
    """The folded state of one thing: a projection of its events, written with them."""

    __tablename__ = "state"
    __table_args__ = (Index("ix_state_group", "plant", "kind", "grp"),)
    plant: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    grp: str
    doc: str = Field(sa_column=Column(Text, nullable=False))
    stream_seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class OutboxRow(SQLModel, table=True):
    """One message to the broker; unsent until `sent_at` or `refused` (the reason it stands in quarantine) is set."""

    __tablename__ = "outbox"
    id: int | None = Field(default=None, sa_column=Column(RUNNING_NUMBER, primary_key=True, autoincrement=True))
    plant: str
    msg_id: str
    topic: str
    payload: str = Field(sa_column=Column(Text, nullable=False))
    retain: bool
    qos: int
    created_at: datetime
    sent_at: datetime | None = None
    refused: str | None = None


_OPEN = "sent_at IS NULL AND refused IS NULL"
Index("ix_outbox_open", SQLModel.metadata.tables["outbox"].c.id, sqlite_where=text(_OPEN), postgresql_where=text(_OPEN))


class TailRow(SQLModel, table=True):
    """One fresh telemetry sample; `ts` is microseconds since 1970, `val` is null when it is no finite number."""

    __tablename__ = "tel_tail"
    id: int | None = Field(default=None, sa_column=Column(RUNNING_NUMBER, primary_key=True, autoincrement=True))
    ts: int = Field(sa_column=Column(BigInteger, nullable=False))
    tag: str
    val: float | None = None
    good: bool


class SegmentRow(SQLModel, table=True):
    """Up to about 250 samples of one tag from `t0` to `t1`; minimum, maximum and sum are over its `n_good` good ones."""

    __tablename__ = "tel_seg"
    __table_args__ = (Index("ix_tel_seg_t1", "t1"), {"sqlite_with_rowid": False})
    tag: str = Field(primary_key=True)
    t0: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    t1: int = Field(sa_column=Column(BigInteger, nullable=False))
    n: int
    n_good: int
    vmin: float | None = None
    vmax: float | None = None
    vsum: float | None = None
    codec: int
    blob: bytes


class UserRow(SQLModel, table=True):
    """A person or machine that may act. Hashes come ready made; nothing here can be turned back into a password."""

    __tablename__ = "person"
    name: str = Field(primary_key=True)
    display_name: str
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    password_hash: str | None = None
    pin_hash: str | None = None
    language: str
    active: bool
    created_at: datetime


class SessionRow(SQLModel, table=True):
    """A login that is open; only the sha256 of its secret is kept."""

    __tablename__ = "session"
    secret_sha256: str = Field(primary_key=True)
    user_name: str = Field(index=True, foreign_key="person.name")
    csrf: str
    created_at: datetime
    expires_at: datetime
    terminal: str


class TokenRow(SQLModel, table=True):
    """A machine's key to the API; only its sha256 and its first letters are kept."""

    __tablename__ = "api_token"
    secret_sha256: str = Field(primary_key=True)
    prefix: str
    user_name: str = Field(index=True, foreign_key="person.name")
    label: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked: bool


class LoginRow(SQLModel, table=True):
    """One try to log in."""

    __tablename__ = "login_attempt"
    id: int | None = Field(default=None, sa_column=Column(RUNNING_NUMBER, primary_key=True, autoincrement=True))
    who: str = Field(index=True)
    source: str
    ok: bool
    at: datetime = Field(index=True)


class AuditRow(SQLModel, table=True):
    """What was done to users, permissions and configuration; never changed afterwards."""

    __tablename__ = "audit"
    id: int | None = Field(default=None, sa_column=Column(RUNNING_NUMBER, primary_key=True, autoincrement=True))
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str = Field(sa_column=Column(Text, nullable=False))


class BlobRow(SQLModel, table=True):
    """A photo or document: its bytes lie in the data folder under their sha256."""

    __tablename__ = "blob"
    sha256: str = Field(primary_key=True)
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    media_type: str
    name: str
    created_at: datetime
    created_by: str


class MetaRow(SQLModel, table=True):
    """Small facts about the database itself, by name."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: str = Field(sa_column=Column(Text, nullable=False))


METADATA: MetaData = SQLModel.metadata


def table(name: str) -> Table:
    """The Core table of a name above: what the writer and the views work with."""
    return METADATA.tables[name]


SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} "
    f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are never changed'); END"
    for name in ("event", "audit")
    for verb in ("UPDATE", "DELETE")
)
PG_GUARDS = (
    "CREATE OR REPLACE FUNCTION mes_never_changed() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME; END $$",
    "CREATE TRIGGER event_never_changed BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION mes_never_changed()",
    "CREATE TRIGGER audit_never_changed BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION mes_never_changed()",
)
