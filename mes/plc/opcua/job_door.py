"""ISA-95 Job Control v2 over OPC UA: the methods and the job list of one receiver object."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from asyncua import Client, ua

from mes.core.errors import TagReadFailed
from mes.plc.driver import JobEntry, JobReport
from mes.plc.opcua.client import translated

NAMESPACE = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
PUBLISH_MS = 100
_UNKNOWN_JOB = 2
_loaded: set[int] = set()


class OpcUaJobDoor:
    """Speaks to one receiver. A subscription on JobOrderList only wakes; every decision is taken on a read."""

    def __init__(
        self,
        client: Client,
        receiver: ua.NodeId,
        provider: ua.NodeId,
        nodes: Mapping[str, ua.NodeId],
        heard: Callable[[], None],
    ) -> None:
        self._client, self._receiver, self._provider, self._nodes, self._heard = (
            client,
            receiver,
            provider,
            nodes,
            heard,
        )
        self._wake = asyncio.Event()
        self.task: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(0))

    @classmethod
    async def open(
        cls, client: Client, receiver: ua.NodeId, provider: ua.NodeId, heard: Callable[[], None]
    ) -> "OpcUaJobDoor":
        """Loads the companion model's types, finds the methods the machine really offers and watches its job list."""
        index = await client.get_namespace_index(NAMESPACE)
        if index not in _loaded or not hasattr(ua, "ISA95JobOrderDataType"):
            await client.load_data_type_definitions()
            _loaded.add(index)
        nodes: dict[str, ua.NodeId] = {}
        for node in (provider, receiver):
            for child in await client.get_node(node).get_children_descriptions(refs=ua.ObjectIds.HasComponent):
                nodes[child.BrowseName.Name] = child.NodeId
        for name in ("JobOrderList", "StoreAndStart", "RequestJobResponseByJobOrderID"):
            if name not in nodes:
                raise TagReadFailed(f"The job receiver has no {name}.", code="status:BadMethodInvalid")
        door = cls(client, receiver, provider, nodes, heard)
        await door._watch()
        return door

    async def jobs(self) -> list[JobEntry]:
        with translated("read JobOrderList"):
            self._wake.clear()
            value = (await self._client.uaclient.read_attributes([self._nodes["JobOrderList"]], ua.AttributeIds.Value))[
                0
            ]
            if value.StatusCode is not None:
                value.StatusCode.check()
            self._heard()
            items = value.Value.Value if value.Value is not None else None
            return [JobEntry(str(item.JobOrder.JobOrderID), *_state(item.State)) for item in items or []]

    async def store_and_start(self, job: str, parameters: Mapping[str, Any], pallet: str) -> int:
        order = ua.ISA95JobOrderDataType()
        order.JobOrderID = job
        order.JobOrderParameters = [_parameter(name, value) for name, value in parameters.items()]
        if pallet:
            asset = ua.ISA95PhysicalAssetDataType()
            asset.ID = pallet
            order.PhysicalAssetRequirements = [asset]
        return await self._call("StoreAndStart", ua.Variant(order, ua.VariantType.ExtensionObject))

    async def stop(self, job: str) -> int:
        return await self._call("Stop", ua.Variant(job, ua.VariantType.String))

    async def abort(self, job: str) -> int:
        return await self._call("Abort", ua.Variant(job, ua.VariantType.String))

    async def clear(self, job: str) -> int:
        return await self._call("Clear", ua.Variant(job, ua.VariantType.String))

    async def response(self, job: str) -> JobReport | None:
        name = "RequestJobResponseByJobOrderID"
        with translated(name):
            provider = self._client.get_node(self._provider)
            result = await provider.call_method(self._nodes[name], ua.Variant(job, ua.VariantType.String))
            self._heard()
            report, status = result
            if int(status) & _UNKNOWN_JOB or report is None or str(report.JobOrderID or "") != job:
                return None
            data = {str(item.ID): _plain(item.Value) for item in report.JobResponseData or []}
            return JobReport(job, *_state(report.JobState), data)

    async def changed(self, timeout_s: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), timeout_s)
        except TimeoutError:
            return

    async def _call(self, method: str, argument: ua.Variant) -> int:
        if method not in self._nodes:
            raise TagReadFailed(f"The job receiver has no method {method}.", code="status:BadMethodInvalid")
        comment = ua.Variant([], ua.VariantType.LocalizedText, is_array=True)
        with translated(method):
            status = await self._client.get_node(self._receiver).call_method(self._nodes[method], argument, comment)
            self._heard()
            return int(status)

    async def _watch(self) -> None:
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=PUBLISH_MS,
            RequestedMaxKeepAliveCount=10,
            RequestedLifetimeCount=600,
            PublishingEnabled=True,
        )
        subscription = await self._client.create_subscription(parameters, queue_maxsize=1000)
        self.task = asyncio.create_task(self._consume(subscription))
        node = self._client.get_node(self._nodes["JobOrderList"])
        await subscription.subscribe_data_change(node, queuesize=10, sampling_interval=PUBLISH_MS / 2)

    async def _consume(self, subscription: Any) -> None:
        async with subscription:
            async for _ in subscription:
                self._heard()
                self._wake.set()


def _state(states: Any) -> tuple[int, str]:
    """Number and text of the top-level state."""
    if not states:
        return 0, ""
    top = states[0]
    return int(top.StateNumber), str(getattr(top.StateText, "Text", "") or "")


def _parameter(name: str, value: Any) -> Any:
    parameter = ua.ISA95ParameterDataType()
    parameter.ID = name
    if isinstance(value, bytes):
        kind = ua.VariantType.ByteString
    elif isinstance(value, str):
        kind = ua.VariantType.String
    elif isinstance(value, bool):
        kind = ua.VariantType.Boolean
    else:
        kind = ua.VariantType.Double if isinstance(value, float) else ua.VariantType.Int64
    parameter.Value = ua.Variant(value, kind)
    return parameter


def _plain(value: Any) -> Any:
    return value.Value if isinstance(value, ua.Variant) else value
