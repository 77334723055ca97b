"""The life cycle as data: names of the states, allowed transitions with their reverses, and what each scan action asks for."""

from dataclasses import dataclass

from mes.tracking.component import Lifecycle as L


@dataclass(frozen=True)
class ActionRule:
    """One scan action: event and target (None = the life cycle stays), direct sources, roles of which one is needed.

    `failed` is the event when the data say passed=false or accepted=false.
    """

    zh: str
    en: str
    event: str
    target: L | None
    sources: frozenset[L]
    roles: tuple[str, ...]
    failed: str = ""


STATE_NAMES: dict[L, tuple[str, str]] = {
    L.DESIGNED: ("已设计", "designed"),
    L.RELEASED: ("已下达", "released"),
    L.MOULD_READY: ("模具就绪", "in its mould"),
    L.REINFORCED: ("钢筋预埋完成", "reinforced"),
    L.PREPOUR_OK: ("隐蔽验收合格", "passed for pouring"),
    L.CAST: ("已浇筑", "cast"),
    L.CURING: ("养护中", "curing"),
    L.DEMOULDED: ("已脱模", "demoulded"),
    L.FINISHED_OK: ("成品检验合格", "passed its outgoing inspection"),
    L.STORED: ("已入库", "stored"),
    L.STAGED: ("待发货", "staged"),
    L.LOADED: ("已装车", "loaded"),
    L.IN_TRANSIT: ("运输中", "in transit"),
    L.ARRIVED: ("已到场", "arrived"),
    L.SITE_ACCEPTED: ("进场验收合格", "accepted on site"),
    L.SITE_STORED: ("现场堆放", "stored on site"),
    L.HOISTING: ("吊装中", "being hoisted"),
    L.INSTALLED: ("已安装就位", "installed"),
    L.CONNECTED: ("灌浆/连接完成", "connected"),
    L.HANDED_OVER: ("验收交付", "handed over"),
    L.NONCONFORMING: ("不合格待处置", "nonconforming"),
    L.REPAIRING: ("返修中", "under repair"),
    L.RETURNED: ("退厂", "returned"),
    L.SCRAPPED: ("报废", "scrapped"),
    L.REPLACED: ("已替换", "replaced"),
    L.CANCELLED: ("已取消", "cancelled"),
}

FINAL = frozenset({L.SCRAPPED, L.REPLACED, L.CANCELLED})
PHYSICAL = frozenset(list(L)[list(L).index(L.PREPOUR_OK) : list(L).index(L.HANDED_OVER)])

# The way out of the plant into the building. Optional states are left out without a word, inferable ones are concluded.
CHAIN = (
    L.FINISHED_OK,
    L.STORED,
    L.STAGED,
    L.LOADED,
    L.IN_TRANSIT,
    L.ARRIVED,
    L.SITE_ACCEPTED,
    L.SITE_STORED,
    L.HOISTING,
    L.INSTALLED,
    L.CONNECTED,
)
OPTIONAL = frozenset({L.STAGED, L.SITE_STORED})
INFERABLE = frozenset({L.STORED, L.LOADED, L.IN_TRANSIT, L.ARRIVED, L.HOISTING})

UNHELD_ACTIONS = frozenset({"held", "released", "defect", "inspected", "returned", "void"})

_YARD = ("operator", "shift_lead")
_SITE = ("site",)
_ANY = ("operator", "shift_lead", "quality", "site")

ACTIONS: dict[str, ActionRule] = {
    "stored": ActionRule(
        "入库",
        "Store",
        "component_stored",
        L.STORED,
        frozenset({L.FINISHED_OK, L.STORED, L.STAGED, L.LOADED, L.RETURNED}),
        _YARD,
    ),
    "staged": ActionRule("备货", "Stage", "component_staged", L.STAGED, frozenset({L.STORED}), _YARD),
    "loaded": ActionRule("装车", "Load", "component_loaded", L.LOADED, frozenset({L.STORED, L.STAGED}), _YARD),
    "departed": ActionRule("发车", "Depart", "component_departed", L.IN_TRANSIT, frozenset({L.LOADED}), _YARD),
    "arrived": ActionRule("到场", "Arrive", "component_arrived", L.ARRIVED, frozenset({L.IN_TRANSIT}), _SITE),
    "received": ActionRule(
        "进场验收",
        "Accept on site",
        "component_received",
        L.SITE_ACCEPTED,
        frozenset({L.ARRIVED}),
        ("site", "quality"),
        "component_rejected",
    ),
    "placed": ActionRule(
        "现场堆放",
        "Place on site",
        "component_placed",
        L.SITE_STORED,
        frozenset({L.SITE_ACCEPTED, L.SITE_STORED, L.HOISTING, L.INSTALLED}),
        _SITE,
    ),
    "hoisted": ActionRule(
        "吊装", "Hoist", "component_hoisted", L.HOISTING, frozenset({L.SITE_ACCEPTED, L.SITE_STORED}), _SITE
    ),
    "installed": ActionRule("安装就位", "Install", "component_installed", L.INSTALLED, frozenset({L.HOISTING}), _SITE),
    "grouted": ActionRule("灌浆", "Grout", "component_grouted", L.CONNECTED, frozenset({L.INSTALLED}), _SITE),
    "inspected": ActionRule(
        "成品检验",
        "Inspect",
        "inspection_passed",
        L.FINISHED_OK,
        frozenset({L.DEMOULDED, L.REPAIRING}),
        ("quality",),
        "inspection_failed",
    ),
    "held": ActionRule("锁定", "Hold", "component_held", None, frozenset(), ("quality", "shift_lead", "site")),
    "released": ActionRule("解锁", "Release", "hold_lifted", None, frozenset(), ("quality",)),
    "defect": ActionRule("报缺陷", "Report a defect", "defect_found", L.NONCONFORMING, PHYSICAL, _ANY),
    "returned": ActionRule(
        "退厂",
        "Return",
        "component_returned",
        L.RETURNED,
        frozenset({L.LOADED, L.IN_TRANSIT, L.ARRIVED, L.SITE_ACCEPTED, L.SITE_STORED, L.NONCONFORMING}),
        ("site", "quality", "shift_lead"),
    ),
}

TRANSITIONS: dict[L, frozenset[L]] = {
    L.DESIGNED: frozenset({L.RELEASED, L.CANCELLED}),
    L.RELEASED: frozenset({L.MOULD_READY, L.DESIGNED, L.CANCELLED}),
    L.MOULD_READY: frozenset({L.REINFORCED, L.RELEASED}),
    L.REINFORCED: frozenset({L.PREPOUR_OK, L.REINFORCED, L.MOULD_READY}),
    L.PREPOUR_OK: frozenset({L.CAST, L.REINFORCED, L.NONCONFORMING}),
    L.CAST: frozenset({L.CURING, L.SCRAPPED, L.NONCONFORMING}),
    L.CURING: frozenset({L.DEMOULDED, L.SCRAPPED, L.NONCONFORMING}),
    L.DEMOULDED: frozenset({L.FINISHED_OK, L.SCRAPPED, L.NONCONFORMING}),
    L.NONCONFORMING: frozenset({L.REPAIRING, L.RETURNED, L.SCRAPPED, L.REPLACED}),
    L.REPAIRING: frozenset({L.FINISHED_OK, L.SITE_ACCEPTED, L.NONCONFORMING, L.SCRAPPED}),
    L.RETURNED: frozenset({L.STORED, L.NONCONFORMING}),
    L.CONNECTED: frozenset({L.HANDED_OVER, L.NONCONFORMING}),
    L.HANDED_OVER: frozenset({L.CONNECTED}),
}


def may_follow(here: L, target: L) -> bool:
    """Whether a state may directly follow another: production and disposition by table, the rest by the scan actions."""
    if target in TRANSITIONS.get(here, frozenset()):
        return True
    return any(rule.target == target and here in rule.sources for rule in ACTIONS.values())
