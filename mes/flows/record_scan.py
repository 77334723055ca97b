"""A scan comes in: it moves the component, or it is kept as an exception; either way the scanner gets an answer."""

from collections.abc import Collection

from mes.core.errors import NotFound, RuleBroken
from mes.core.ports import Tx
from mes.tracking import code as codes
from mes.tracking.component import Component
from mes.tracking.scan import (
    DEFAULT_POLICY,
    Judgement,
    ScanAnswer,
    ScanCommand,
    ScanException,
    ScanPolicy,
    answer,
    judge,
    refusal,
    unreadable,
)

SETTLEMENTS = ("confirmed", "fixed", "void")


def record_scan(tx: Tx, cmd: ScanCommand, roles: Collection[str], policy: ScanPolicy = DEFAULT_POLICY) -> ScanAnswer:
    """Story of one scan by `tx.actor`. Run it with `cmd_id=cmd.event_id`: a repeat then gets the first answer again.

    A broken rule does not raise: the answer has status 409, the rule's code and the id of the stored exception.
    """
    try:
        code = codes.parse(cmd.code)
    except RuleBroken as error:
        return _refuse(tx, cmd, None, unreadable(error), cmd.code)
    component = tx.get(Component, code)
    judgement = judge(component, cmd, tx.actor, roles, tx.now, policy)
    if judgement.broken is not None or component is None:
        return _refuse(tx, cmd, component, judgement, code)
    for event in judgement.events:
        tx.append(Component, code, event.type, event.data)
    after = tx.get(Component, code)
    result = answer(cmd, after, judgement, code)
    tx.publish("event", f"component_{cmd.action}", {"code": code, "mark": component.mark, **_message(result)})
    return result


def settle_exception(tx: Tx, exception_id: str, status: str, reason: str) -> ScanException:
    """Story of a person who settles an exception as confirmed, fixed or void, with a reason."""
    found = tx.get(ScanException, exception_id)
    if found is None:
        raise NotFound(f"There is no scan exception {exception_id}.")
    if status not in SETTLEMENTS or not reason.strip():
        raise RuleBroken(
            f"An exception is settled as one of {', '.join(SETTLEMENTS)} and with a reason.", code="settlement_invalid"
        )
    if found.status != "open":
        raise RuleBroken(f"The exception was settled as {found.status} by {found.settled_by}.", code="already_done")
    tx.append(ScanException, exception_id, "exception_settled", {"status": status, "reason": reason})
    settled = tx.get(ScanException, exception_id)
    assert settled is not None
    return settled


def _refuse(tx: Tx, cmd: ScanCommand, component: Component | None, judgement: Judgement, code: str) -> ScanAnswer:
    assert judgement.broken is not None
    tx.append(ScanException, cmd.event_id, "scan_refused", refusal(cmd, judgement.broken, code))
    result = answer(cmd, component, judgement, code)
    tx.publish("event", "scan_refused", {"code": code, "rule": result.rule, "action": cmd.action})
    return result


def _message(result: ScanAnswer) -> dict[str, str | None]:
    return {"lifecycle": result.lifecycle, "place": result.location.place, "slot": result.location.slot}
