"""The messages of the house on their way to the broker, where one is configured."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from mes.app import House
from mes.exchange.mqtt import MqttPublisher
from mes.exchange.outbox import OutboxLoop
from mes.store.engine import claim
from mes.store.log import Outgoing
from mes.store.story import topic

Log = logging.getLogger("mes.app")

PREFIX = "mes"
CARRIER = "outbox"
CLAIM_S = 2.0


def open_messages(house: House) -> None:
    """Carries the outbox to the broker of MES_MQTT_URL; without one nothing is started. Raises ConfigError for a URL that is none."""
    if not house.settings.mqtt_url:
        return
    info = house.folder.plant.plant
    publisher = MqttPublisher(
        house.settings.mqtt_url,
        client_id=f"mes-{info.id}-{house.ids.uuid()[-8:]}",
        online_topic=topic(PREFIX, f"{info.enterprise}/{info.id}", "", "state", "online"),
        src=info.id,
        clock=house.clock,
        ids=house.ids,
    )
    house.start(_carry(house, publisher), "outbox")


async def _carry(house: House, publisher: MqttPublisher) -> None:
    """Of several processes on one database one carries; the next takes over when it has ended."""
    release = await _claimed(house)
    loop = OutboxLoop(Outgoing(house.store.engine, house.store.plant), publisher, house.clock)
    unsubscribe = house.store.subscribe(loop.wake)
    try:
        await publisher.start()
        await loop.run()
    finally:
        unsubscribe()
        with contextlib.suppress(Exception):
            await publisher.close()
        release()


async def _claimed(house: House) -> Callable[[], None]:
    while True:
        try:
            release = await asyncio.to_thread(claim, house.store.engine, CARRIER)
        except Exception as error:  # noqa: BLE001  a database that is away for a while is asked again
            Log.warning("outbox: %s", error)
            release = None
        if release is not None:
            return release
        await asyncio.sleep(CLAIM_S)
