"""Carries the messages of the outbox to the broker, in order, each until it is acknowledged.

A broker that is away costs only delay. A message the broker refuses for ever goes into quarantine with the reason, so
that it does not stop those behind it. After a restart a message may go out twice: subscribers drop repeats by its id.
"""

import asyncio
import logging
from datetime import timedelta

from mes.core.clock import Clock
from mes.core.errors import MesError
from mes.core.ports import Publisher
from mes.store.log import Message, Outgoing

log = logging.getLogger(__name__)

WINDOW = 100
IDLE_S = 1.0
KEEP = timedelta(days=7)
PRUNE_S = 3600.0


class MessageRefused(MesError):
    """The broker will never take this message."""

    code = "message_refused"


class MemoryPublisher:
    """A Publisher that keeps what it was given, oldest first: for tests and for a plant without a broker."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bool, int]] = []

    async def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> None:
        self.sent.append((topic, payload, retain, qos))


class OutboxLoop:
    """`run()` until cancelled; `wake()` when something was written (subscribe it to the store)."""

    def __init__(self, outgoing: Outgoing, publisher: Publisher, clock: Clock) -> None:
        self._outgoing, self._publisher, self._clock = outgoing, publisher, clock
        self._woken = asyncio.Event()
        self._failing = False

    def wake(self, _events: object = None) -> None:
        self._woken.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        next_prune = loop.time()
        while True:
            self._woken.clear()
            try:
                full = await self.send_once() == WINDOW
                if loop.time() >= next_prune:
                    await asyncio.to_thread(self._outgoing.prune, self._clock.now() - KEEP)
                    next_prune = loop.time() + PRUNE_S
                self._recovered()
            except Exception as error:  # noqa: BLE001  the loop outlives every fault of broker and database
                full = False
                self._failed(error)
            if not full:
                await self._pause()

    async def send_once(self) -> int:
        """Sends one window of messages and marks them; returns how many were taken from the outbox."""
        messages = await asyncio.to_thread(self._outgoing.unsent, WINDOW)
        if not messages:
            return 0
        results = await asyncio.gather(*(self._send(message) for message in messages), return_exceptions=True)
        sent = [message.id for message, result in zip(messages, results, strict=True) if result is None]
        if sent:
            await asyncio.to_thread(self._outgoing.mark_sent, sent, self._clock.now())
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, MessageRefused):
                log.warning("outbox: message %d to %s stands in quarantine: %s", message.id, message.topic, result)
                await asyncio.to_thread(self._outgoing.mark_refused, message.id, str(result))
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, MessageRefused):
                raise result
        return len(messages)

    async def _send(self, message: Message) -> None:
        await self._publisher.publish(message.topic, message.payload, retain=message.retain, qos=message.qos)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(IDLE_S):
                await self._woken.wait()
        except TimeoutError:
            return

    def _failed(self, error: Exception) -> None:
        log.log(logging.DEBUG if self._failing else logging.WARNING, "outbox: messages wait: %s", error)
        self._failing = True

    def _recovered(self) -> None:
        if self._failing:
            log.info("outbox: messages go out again")
            self._failing = False
