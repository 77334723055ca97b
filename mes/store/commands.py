"""The handshake's memory in the plant's log: every command to a PLC is an audited event before the wire is touched."""

from mes.core.event import Event, State, StreamKind
from mes.core.ports import PlcCommand, Store, Tx

DECIDED = ("done", "refused", "aborted", "unknown")
ACTOR = "plc"


class PlcCommandState(State):
    """The last row of a job on a link; fields as in `PlcCommand`."""

    link: str
    job: str
    code: str
    epoch: int
    seq: int
    words: tuple[int, ...]
    state: str
    detail: str = ""


class PlcLinkState(State):
    """What a link remembers over all jobs: the sequence number it used last (0: none)."""

    link: str
    seq: int


def apply_command(state: PlcCommandState | None, event: Event) -> PlcCommandState:
    """The command as last saved; an event carries what changed since."""
    before = state.model_dump() if state else {}
    return PlcCommandState(**{**before, **event.data})


def apply_link(_state: PlcLinkState | None, event: Event) -> PlcLinkState:
    """The link after it used a sequence number."""
    return PlcLinkState(**event.data)


def _open_list(state: PlcCommandState) -> str:
    return "" if state.state in DECIDED else state.link


PLC_COMMAND = StreamKind("plc_command", PlcCommandState, apply_command, _open_list)
PLC_LINK = StreamKind("plc_link", PlcLinkState, apply_link)
PLC_KINDS = (PLC_COMMAND, PLC_LINK)


class StoreCommands:
    """The CommandTable over a Store that knows `PLC_KINDS`. `open` finds states outside done, refused, aborted, unknown."""

    def __init__(self, store: Store, *, actor: str = ACTOR) -> None:
        self._store, self._actor = store, actor

    def next_seq(self, link: str) -> int:
        known = self._store.get(PlcLinkState, link)
        return (known.seq if known else 0) % 65535 + 1

    def open(self, link: str) -> PlcCommand | None:
        found = self._store.find(PlcCommandState, link) if link else []
        return _command(found[-1]) if found else None

    def last(self, link: str, job: str) -> PlcCommand | None:
        found = self._store.get(PlcCommandState, f"{link}/{job}")
        return _command(found) if found else None

    async def save(self, command: PlcCommand) -> None:
        """Durable when it returns; saving the same row again writes nothing."""
        row = PlcCommandState(**command.__dict__)

        def story(tx: Tx) -> None:
            key = f"{row.link}/{row.job}"
            before = tx.get(PlcCommandState, key)
            old = before.model_dump(mode="json") if before else {}
            changed = {name: value for name, value in row.model_dump(mode="json").items() if old.get(name) != value}
            if not changed and before:
                return
            if before is None or before.seq != row.seq:
                tx.append(PlcLinkState, row.link, "sequence_used", {"link": row.link, "seq": row.seq})
            tx.append(PlcCommandState, key, f"command_{row.state}", changed)

        await self._store.run(story, actor=self._actor)


def _command(state: PlcCommandState) -> PlcCommand:
    return PlcCommand(**state.model_dump())
