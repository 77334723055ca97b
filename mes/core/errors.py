"""Every deliberate error of the product, as one tree: what went wrong in one sentence, and what the reader can do.

MesError(code, message, hint)
├ ConfigError             the start is refused; lists all faults with file, line and path
├ NotFound · NotPermitted
├ RuleBroken              a rule of the plant forbids it
├ IntakeRejected          findings per line or GlobalId; nothing was imported
├ PlcError                LinkDown, TagReadFailed, TagWriteRefused, HandshakeTimeout
├ PlanError               NoFeasiblePlan, PlanTimedOut
└ StoreError              StoreBusy, StoreFull, SchemaTooNew, SchemaTooOld
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class MesError(Exception):
    """A deliberate error. `code` is a stable slug, `str(error)` one clear sentence, `hint` what the reader can do next."""

    code = "error"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.hint = hint
        self.data: dict[str, Any] = dict(data or {})


@dataclass(frozen=True)
class Fault:
    """One fault of a configuration: where it stands (1-based line, dotted path) and what is wrong."""

    file: str
    line: int
    path: str
    code: str
    message: str

    @property
    def line_of_text(self) -> str:
        """`file:line: path: what is wrong`; what is not known is left out."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.path, self.message) if part)


@dataclass(frozen=True)
class Finding:
    """One remark about an imported file: severity is info, warning or error; `where` names a line, mark or GlobalId."""

    severity: str
    code: str
    message: str
    where: str = ""


class ConfigError(MesError):
    code = "config_faulty"

    def __init__(self, faults: Sequence[Fault], *, hint: str = "Mend the lines named above and start again.") -> None:
        lines = [fault.line_of_text for fault in faults]
        super().__init__(f"The configuration has {len(faults)} fault(s):\n" + "\n".join(lines), hint=hint)
        self.faults = list(faults)


class NotFound(MesError):
    code = "not_found"


class NotPermitted(MesError):
    code = "not_permitted"


class RuleBroken(MesError):
    """A rule of the plant or of the life cycle forbids what was asked; `code` names the rule."""

    code = "rule_broken"


class IntakeRejected(MesError):
    code = "intake_rejected"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", findings: Sequence[Finding] = ()
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.findings = list(findings)


class PlcError(MesError):
    code = "plc_error"


class LinkDown(PlcError):
    code = "link_down"


class TagReadFailed(PlcError):
    code = "tag_read_failed"


class TagWriteRefused(PlcError):
    code = "tag_write_refused"


class HandshakeTimeout(PlcError):
    code = "handshake_timeout"

    def __init__(self, tag: str, wanted: Any, got: Any, waited_s: float) -> None:
        super().__init__(f"{tag}: wanted {wanted!r}, got {got!r} after {waited_s:.1f} s")
        self.tag, self.wanted, self.got, self.waited_s = tag, wanted, got, waited_s


class PlanError(MesError):
    code = "plan_error"


class NoFeasiblePlan(PlanError):
    code = "no_feasible_plan"


class PlanTimedOut(PlanError):
    code = "plan_timed_out"


class StoreError(MesError):
    code = "store_error"


class StoreBusy(StoreError):
    code = "store_busy"


class StoreFull(StoreError):
    code = "store_full"


class SchemaTooNew(StoreError):
    code = "schema_too_new"


class SchemaTooOld(StoreError):
    code = "schema_too_old"
