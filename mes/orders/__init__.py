"""What must be built: component types drawn by the designer, orders for them, and when the site needs them."""

from mes.orders.component_type import ComponentDraft, EmbedPosition, Placement
from mes.orders.order import KINDS, Order, OrderLine, StoreyDue

__all__ = ["KINDS", "ComponentDraft", "EmbedPosition", "Order", "OrderLine", "Placement", "StoreyDue"]
