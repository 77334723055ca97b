"""Faults on demand, for drills and tests: through the Python API or one JSON line on a loopback socket."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.plcs.serve import SimulatedPlant

FREEZE_S = 6.0
SLOW_FACTOR = 4.0
KINDS = ("drop", "freeze", "restart", "bad", "refuse", "abort", "slow", "heal", "pin", "state")


class Faults:
    """`drop` closes connections, `freeze` stops answering for a while, `restart` cycles the power of one PLC, `bad` spoils the
    quality of its gauges, `refuse` refuses the next start, `abort` ends its job at the machine's own panel, `slow` stretches
    its jobs, `pin` holds the first gauge at a value, `heal` ends bad, slow and pin, `state` asks.

    The stations of one OPC UA server share their connections: drop, freeze and the loss at a restart concern all of them.
    """

    def __init__(self, plant: "SimulatedPlant") -> None:
        self._plant = plant
        self._server: asyncio.Server | None = None

    def inject(self, link: str, fault: str, value: float | None = None) -> dict[str, Any]:
        """`value` is the seconds of a freeze, the factor of slow or the value of a pin. Raises KeyError for an unknown link or fault."""
        if fault not in KINDS:
            raise KeyError(f"fault {fault!r} is unknown; known: {', '.join(KINDS)}")
        if link not in self._plant.plcs:
            raise KeyError(f"link {link!r} is unknown; known: {', '.join(self._plant.plcs)}")
        program = self._plant.plcs[link].program
        if fault == "drop":
            self._connections(link).drop()
        elif fault == "freeze":
            self._connections(link).freeze(asyncio.get_running_loop().time() + (value or FREEZE_S))
        elif fault == "restart":
            self._restart(link)
        elif fault == "refuse":
            program.refuse_next = True
        elif fault == "abort":
            program.abort(program.memory.job)
            program.remember()
        elif fault == "bad":
            program.bad_quality = True
        elif fault == "slow":
            program.twin.slow = value or SLOW_FACTOR
        elif fault == "heal":
            program.bad_quality, program.twin.slow = False, 1.0
            program.pin(None)
        elif fault == "pin":
            program.pin(value)
        return self._state(link)

    async def listen(self) -> int:
        """Opens the control socket on loopback; gives its port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _restart(self, link: str) -> None:
        """Power goes and comes back at once: connections break, volatile memory is empty."""
        self._plant.plcs[link].program.twin.stop()
        self._connections(link).drop()
        self._plant.plcs[link].restart(self._plant.program(link))

    def _connections(self, link: str) -> Any:
        return self._plant.modbus.get(link) or self._plant.opcua[link].server

    def _state(self, link: str) -> dict[str, Any]:
        program = self._plant.plcs[link].program
        memory = program.memory
        return {
            "ok": True,
            "link": link,
            "state": memory.state,
            "job": str(memory.job),
            "starts": memory.starts,
            "ends": memory.ends,
            "boots": memory.boots,
            "reason": program.reason,
            "pinned_shown_at": program.pinned_shown_at,
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write((json.dumps(self._answer(line)) + "\n").encode())
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            value = asked.get("value")
            return self.inject(str(asked["link"]), str(asked["fault"]), None if value is None else float(value))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"ok": False, "error": str(error).strip("'\"")}
