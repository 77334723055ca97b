"""The list of job orders of one OPC UA station: states of ISA-95 Job Control v2 on top of the PLC's own job state."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.plcs.program import ABORTED as PLC_ABORTED
from simulators.plcs.program import DONE, OK, RUNNING, UNKNOWN, PlcProgram

SUCCESS, UNKNOWN_ID, WRONG_STATE, UNABLE, INVALID = 1, 2, 8, 16, 1 << 32
ALLOWED, RUN, INTERRUPTED, ENDED, ABORTED = 2, 3, 4, 5, 6
TEXTS = {2: "AllowedToStart", 3: "Running", 4: "unknown", 5: "Ended", 6: "Aborted"}
LIST_SIZE = 8
KEPT = 32


@dataclass(frozen=True)
class Order:
    """One entry as clients see it. `result` are the values reported with it."""

    job: str
    state: int
    text: str
    pallet: str
    parameters: Mapping[str, Any]
    result: Mapping[str, Any]


class JobOrders:
    """One order is active at a time. Everything stands in the PLC's retained memory; cleared orders keep their response."""

    def __init__(self, program: PlcProgram) -> None:
        self.program = program
        self.version = 0
        self._follow()

    def store_and_start(self, job: str, parameters: Mapping[str, Any], pallet: str) -> int:
        values = dict(parameters)
        payload, crc = values.pop("payload", None), values.pop("payload_crc32", None)
        if not job.isdecimal() or not 0 < int(job) < 2**63:
            return INVALID
        if self._find(job) is not None or int(job) in self.program.memory.ring:
            return WRONG_STATE
        if (
            any(order["state"] in (ALLOWED, RUN, INTERRUPTED) for order in self._orders)
            or len(self.listed()) >= LIST_SIZE
        ):
            return UNABLE
        geometry = None
        if payload is not None:
            if crc is None or zlib.crc32(payload) != int(crc):
                return INVALID
            geometry = json.loads(payload)
        reason = "refused on demand" if self.program.refuse_next else self.program.twin.check(values, geometry)
        if reason is not None:
            self.program.reason, self.program.refuse_next = reason, False
            return UNABLE
        order = {"job": job, "state": ALLOWED, "pallet": pallet, "parameters": values, "payload": geometry}
        self.program.memory.orders = [*self._orders, {**order, "result": {}, "cleared": False}][-KEPT:]
        self._changed()
        return SUCCESS

    def stop(self, job: str) -> int:
        """Ends an interrupted order as done: a person has looked."""
        return self._settle(job, done=True)

    def abort(self, job: str) -> int:
        order = self._find(job)
        if order is None:
            return UNKNOWN_ID
        if order["state"] == INTERRUPTED:
            return self._settle(job, done=False)
        if order["state"] == RUN:
            self.program.abort(int(job))
        elif order["state"] != ALLOWED:
            return WRONG_STATE
        order["state"] = ABORTED
        self._changed()
        return SUCCESS

    def cancel(self, job: str) -> int:
        """Takes an order off that has not started."""
        order = self._find(job)
        if order is None:
            return UNKNOWN_ID
        if order["state"] != ALLOWED:
            return WRONG_STATE
        self._orders.remove(order)
        self._changed()
        return SUCCESS

    def clear(self, job: str) -> int:
        order = self._find(job)
        if order is None or order["cleared"]:
            return UNKNOWN_ID
        if order["state"] not in (ENDED, ABORTED):
            return WRONG_STATE
        order["cleared"] = True
        self._changed()
        return SUCCESS

    def response(self, job: str) -> Order | None:
        order = self._find(job)
        return _shown(order) if order is not None else None

    def listed(self) -> list[Order]:
        return [_shown(order) for order in self._orders if not order["cleared"]]

    def scan(self, *, mes_alive: bool) -> None:
        """One turn: the machine moves on, the waiting order starts when it may, and the entry follows the PLC's job."""
        self.program.scan()
        self._follow()
        waiting = next((order for order in self._orders if order["state"] == ALLOWED), None)
        if waiting is None or not mes_alive or self.program.memory.state in (RUNNING, UNKNOWN):
            return
        result = self.program.start(int(waiting["job"]), waiting["parameters"], waiting["payload"])
        waiting["state"] = RUN if result == OK else ABORTED
        waiting["payload"] = None
        self.program.actuate()
        self.version += 1

    def _follow(self) -> None:
        memory = self.program.memory
        state = {RUNNING: RUN, UNKNOWN: INTERRUPTED, DONE: ENDED, PLC_ABORTED: ABORTED}.get(memory.state)
        order = self._find(str(memory.job))
        if order is None or state is None or order["state"] in (state, ENDED, ABORTED):
            return
        order["state"], order["result"] = state, dict(memory.data)
        self._changed()

    def _settle(self, job: str, *, done: bool) -> int:
        order = self._find(job)
        if order is None:
            return UNKNOWN_ID
        if order["state"] != INTERRUPTED or self.program.resolve(int(job), done=done) != OK:
            return WRONG_STATE
        self._follow()
        return SUCCESS

    def _find(self, job: str) -> dict[str, Any] | None:
        return next((order for order in self._orders if order["job"] == job), None)

    def _changed(self) -> None:
        self.program.remember()
        self.version += 1

    @property
    def _orders(self) -> list[dict[str, Any]]:
        return self.program.memory.orders


def _shown(order: Mapping[str, Any]) -> Order:
    state = order["state"]
    return Order(order["job"], state, TEXTS[state], order["pallet"], order["parameters"], order["result"])
