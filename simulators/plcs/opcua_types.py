"""Job orders in the structures of ISA-95 Job Control v2, and two repairs of the server library that simulators need."""

import logging
from collections.abc import Mapping
from typing import Any

from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemValues

from simulators.plcs.job_orders import Order

JOB_CONTROL = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"


def repair_server() -> None:
    """An unknown republish number is an error (clients ask on for ever otherwise); values are not copied for every subscriber."""
    original = InternalSubscription.republish

    def republish(self: Any, number: int) -> Any:
        if number not in self._not_acknowledged_results:
            raise ua.UaStatusCodeError(ua.StatusCodes.BadMessageNotAvailable)
        return original(self, number)

    def keep_reference(self: Any, value: ua.DataValue) -> None:
        self.old_dvalue, self.current_dvalue = self.current_dvalue, value

    InternalSubscription.republish = republish
    MonitoredItemValues.set_current_datavalue = keep_reference
    logging.getLogger("asyncua").setLevel(logging.ERROR)


def parameters_of(order: Any) -> tuple[str, dict[str, Any], str]:
    """Job id, parameters by name and pallet out of an ISA95JobOrderDataType."""
    values = {str(item.ID): _plain(item.Value) for item in order.JobOrderParameters or []}
    assets = order.PhysicalAssetRequirements or []
    return str(order.JobOrderID or ""), values, str(assets[0].ID or "") if assets else ""


def list_value(orders: list[Order]) -> ua.Variant:
    """JobOrderList: bulk data is left out of the parameters."""
    entries = []
    for order in orders:
        entry = ua.ISA95JobOrderAndStateDataType()
        entry.JobOrder = ua.ISA95JobOrderDataType()
        entry.JobOrder.JobOrderID = order.job
        entry.JobOrder.JobOrderParameters = _parameters(order.parameters)
        if order.pallet:
            asset = ua.ISA95PhysicalAssetDataType()
            asset.ID = order.pallet
            entry.JobOrder.PhysicalAssetRequirements = [asset]
        entry.State = [_state(order)]
        entries.append(entry)
    return ua.Variant(entries, ua.VariantType.ExtensionObject, is_array=True)


def response_value(order: Order | None) -> ua.Variant:
    response = ua.ISA95JobResponseDataType()
    if order is not None:
        response.JobResponseID, response.JobOrderID = f"{order.job}-1", order.job
        response.JobState = [_state(order)]
        response.JobResponseData = _parameters(order.result)
    return ua.Variant(response, ua.VariantType.ExtensionObject)


def _state(order: Order) -> Any:
    state = ua.ISA95StateDataType()
    state.BrowsePath = ua.RelativePath()
    state.StateText = ua.LocalizedText(order.text)
    state.StateNumber = order.state
    return state


def _parameters(values: Mapping[str, Any]) -> list[Any]:
    found = []
    for name, value in values.items():
        item = ua.ISA95ParameterDataType()
        item.ID = name
        if isinstance(value, str):
            item.Value = ua.Variant(value, ua.VariantType.String)
        else:
            whole = isinstance(value, int)
            item.Value = ua.Variant(value, ua.VariantType.Int64 if whole else ua.VariantType.Double)
        found.append(item)
    return found


def _plain(value: Any) -> Any:
    return value.Value if isinstance(value, ua.Variant) else value
