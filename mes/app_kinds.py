"""All kinds of things that the plant remembers."""

from mes.core.event import StreamKind
from mes.flows.release_plan import PLAN
from mes.lines.job import JOB
from mes.lines.run import PALLET, RUN
from mes.orders.order import KINDS as ORDER_KINDS
from mes.store.commands import PLC_KINDS
from mes.tracking.component import KIND as COMPONENT
from mes.tracking.scan import KIND as SCAN_EXCEPTION

KINDS: list[StreamKind] = [*ORDER_KINDS, COMPONENT, SCAN_EXCEPTION, JOB, RUN, PALLET, PLAN, *PLC_KINDS]
