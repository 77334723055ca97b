"""Who may do what: permissions as strings, roles as sets of them. Nothing is allowed that is not listed here."""

from collections.abc import Iterable

VIEW = "view"

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "operator": frozenset({VIEW, "job.work", "scan.record"}),
    "shift_lead": frozenset({VIEW, "job.work", "job.settle", "scan.record", "scan.settle", "order.due"}),
    "quality": frozenset({VIEW, "job.work", "quality.sign", "scan.record", "scan.settle"}),
    "planner": frozenset({VIEW, "order.import", "order.due", "plan.release"}),
    "integrator": frozenset({VIEW, "plc.write", "job.settle"}),
    "site": frozenset({VIEW, "scan.record"}),
    "admin": frozenset(
        {
            VIEW,
            "job.work",
            "job.settle",
            "order.import",
            "order.due",
            "plan.release",
            "scan.record",
            "scan.settle",
            "plc.write",
            "user.manage",
        }
    ),
}

PERMISSIONS: frozenset[str] = frozenset().union(*ROLE_PERMISSIONS.values())


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """All permissions of a person; a role that does not exist gives none."""
    return frozenset().union(*(ROLE_PERMISSIONS.get(role, frozenset()) for role in roles))
