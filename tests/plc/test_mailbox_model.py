"""Every reachable state of the mailbox protocol with two jobs and three faults: no job starts twice, all can end.

The MES side decides with the product's own `judge`. Each weakened protocol must be convicted by the same search.
"""

from collections import deque
from dataclasses import dataclass, replace

import pytest

from mes.core.ports import PlcCommand
from mes.plc.handshake.mailbox import FREE, judge
from mes.plc.handshake.mailbox_words import Answer

JOBS = (1, 2)


@dataclass(frozen=True)
class S:
    """phases: new, sent, done, refused, unknown, scrapped. `open` is persisted (job, epoch, seq); `held` the same, not yet persisted."""

    next_seq: int = 1
    open: tuple | None = None
    held: tuple | None = None
    phases: tuple = ("new", "new")
    block: tuple | None = None
    late: tuple | None = None
    epoch: int = 1
    acted: tuple = (0, 0)
    state: str = "idle"
    result: str = "ok"
    job: int = 0
    last: int = 0
    ring: tuple = ()
    moving: bool = False
    unremembered: tuple | None = None
    starts: tuple = (0, 0)
    ends: tuple = (0, 0)
    faults: int = 3


@dataclass(frozen=True)
class Rules:
    ring: bool = True
    fresh_seq: bool = False
    sent_after_write: bool = False
    act_first: bool = False
    memory_loss: bool = False
    epoch_check: bool = True


def put(row, job, value):
    return tuple(value if j == job else old for j, old in zip(JOBS, row, strict=True))


def bump(row, job):
    return tuple(old + (j == job) for j, old in zip(JOBS, row, strict=True))


def answer(s):
    return Answer(s.epoch, 1, 0, s.acted[1], s.state, s.result, s.job, s.last, 0, 0, 0, s.acted[0])


def mes(s, rules):
    """What the MES may do next."""
    if s.open is None and s.held is None and s.state in FREE:
        job = next((j for j, phase in zip(JOBS, s.phases, strict=True) if phase == "new"), None)
        if job is not None:
            command = (job, s.epoch, s.next_seq)
            if rules.sent_after_write:
                yield replace(s, held=command, next_seq=s.next_seq + 1)
            else:
                yield replace(s, open=command, next_seq=s.next_seq + 1, phases=put(s.phases, job, "sent"))
    command = s.open or s.held
    if command is None:
        yield from settle(s)
        return
    wrote = s
    if rules.fresh_seq and s.open:
        command = (command[0], command[1], s.next_seq)
        wrote = replace(s, open=command, next_seq=s.next_seq + 1)
    verdict = judged(s, s.open, rules) if s.open else "wait"
    if verdict == "wait" and s.next_seq < 9:
        for after in write(wrote, command):
            yield (
                replace(after, open=command, held=None, phases=put(after.phases, command[0], "sent"))
                if s.held and after.faults == s.faults
                else after
            )
        if s.held and s.faults:  # the process dies between the write and the row
            yield replace(s, block=command, held=None, faults=s.faults - 1)
    if s.open and verdict in ("done", "refused", "aborted", "unknown"):
        phase = {"done": "done", "refused": "refused", "aborted": "scrapped", "unknown": "unknown"}[verdict]
        yield replace(s, open=None, phases=put(s.phases, s.open[0], phase))
    if s.open and verdict == "busy":
        yield replace(s, open=None, phases=put(s.phases, s.open[0], "new"))


def judged(s, command, rules):
    job, epoch, seq = command
    shown = answer(s)
    if not rules.epoch_check:
        epoch = shown.epoch
        shown = replace(shown, acted_epoch=epoch)
    return judge(PlcCommand("x", str(job), "start", epoch, seq, (), "sent"), shown).kind


def write(s, command):
    yield replace(s, block=command)  # arrives; the answer may be lost, nobody looks at it
    if s.faults:
        yield replace(s, faults=s.faults - 1)  # lost
        if s.late is None:
            yield replace(s, late=command, faults=s.faults - 1)  # arrives some time


def settle(s):
    """A person looks: a job in doubt is scrapped, in the books and in the PLC."""
    for job, phase in zip(JOBS, s.phases, strict=True):
        if phase == "unknown":
            here = s.state == "unknown" and s.job == job
            seq = s.next_seq
            after = replace(s, phases=put(s.phases, job, "scrapped"))
            yield (
                replace(after, state="aborted", acted=(s.epoch, seq), result="ok", next_seq=seq + 1) if here else after
            )


def plc(s, rules):
    """One scan, the end of a run, or the step from memory to motion."""
    if s.unremembered is not None:
        yield remember(replace(s, unremembered=None, moving=True), *s.unremembered)
        return
    if s.state == "running" and not s.moving:
        yield replace(s, moving=True, starts=bump(s.starts, s.job))
    if s.state == "running" and s.moving:
        yield replace(s, state="done", last=s.job, moving=False, ends=bump(s.ends, s.job))
    if s.block is not None:
        job, epoch, seq = s.block
        known = seq == s.acted[1] and (epoch == s.acted[0] or not rules.epoch_check)
        if not known:
            yield act(s, job, epoch, seq, rules)


def act(s, job, epoch, seq, rules):
    s = replace(s, result="ok")
    seen = replace(s, acted=(epoch, seq))
    if rules.epoch_check and epoch != s.epoch:
        return replace(seen, result="wrong_epoch")
    if s.state in ("accepted", "running", "unknown"):
        return replace(seen, result="duplicate" if s.job == job else "busy")
    if rules.ring and job in s.ring:
        return replace(seen, result="duplicate", job=job, state="done" if s.last == job else "refused")
    if rules.act_first:
        return replace(s, unremembered=(job, epoch, seq), starts=bump(s.starts, job))
    return remember(seen, job, epoch, seq)


def remember(s, job, epoch, seq):
    return replace(s, acted=(epoch, seq), state="running", result="ok", job=job, ring=(*s.ring, job))


def world(s, rules):
    """Late writes, power cuts and, in the second run, lost memory."""
    if s.late is not None:
        yield replace(s, block=s.late, late=None)
    if not s.faults:
        return
    cut = replace(s, block=None, moving=False, unremembered=None, faults=s.faults - 1)
    yield replace(cut, state="unknown") if s.state in ("accepted", "running") else cut
    if s.held:
        yield replace(s, held=None, faults=s.faults - 1)
    if rules.memory_loss and s.epoch < 3:
        yield replace(cut, epoch=s.epoch + 1, acted=(0, 0), state="idle", result="ok", job=0, last=0, ring=())


def explore(rules):
    """All states, those with a double start, and those that cannot reach an end."""
    start = S()
    seen, before, queue = {start}, {}, deque([start])
    while queue:
        s = queue.popleft()
        for after in (*mes(s, rules), *plc(s, rules), *world(s, rules)):
            before.setdefault(after, []).append(s)
            if after not in seen:
                seen.add(after)
                if max(after.starts) < 2:
                    queue.append(after)
    double = {s for s in seen if max(s.starts) > 1}
    ends = [s for s in seen if all(phase in ("done", "refused", "scrapped") for phase in s.phases)]
    can_end, queue = set(ends), deque(ends)
    while queue:
        for earlier in before.get(queue.popleft(), ()):
            if earlier not in can_end:
                can_end.add(earlier)
                queue.append(earlier)
    return seen, double, seen - can_end - double


@pytest.mark.parametrize("rules", [Rules(), Rules(memory_loss=True)], ids=["kept memory", "lost memory"])
def test_no_job_starts_twice_and_every_state_can_end(rules):
    seen, double, stuck = explore(rules)
    assert len(seen) > 500
    assert not double
    assert not stuck
    for s in seen:
        for job, phase in zip(JOBS, s.phases, strict=True):
            if phase == "done":
                assert (s.starts[job - 1], s.ends[job - 1]) == (1, 1), s


@pytest.mark.parametrize(
    "rules",
    [
        Rules(ring=False),
        Rules(ring=False, fresh_seq=True),
        Rules(ring=False, sent_after_write=True),
        Rules(act_first=True),
        Rules(memory_loss=True, epoch_check=False),
    ],
    ids=["no ring", "fresh number", "sent after the write", "acts before it remembers", "no epoch check"],
)
def test_the_same_search_convicts_each_weakened_protocol(rules):
    _, double, _ = explore(rules)
    assert double
