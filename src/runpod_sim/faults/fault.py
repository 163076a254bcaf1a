"""One fault as data, and which requests and pods it applies to. Knows no HTTP and no pods."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..clock import now
from ..records.validation import breaches, read_json
from .kinds import CONDITIONS, FAULT_KINDS, FOREVER, LASTING, FaultKind
from .shapes import shape_of

Facts = Mapping[str, Collection[str]]
"""The values of a request or pod for each of CONDITIONS; a request may name several datacenters."""
DEFAULT_ROUTES = {"create": "POST /v2/pods", "start": "pods", "delete": "pods", "stop": "pods"}
"""The value of "where" if it is not given, by scope."""


class BadFault(ValueError):
    """The fault makes no sense; the message says why."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong: from the nth matching request or pod on, for so many of them."""

    where: str
    what: str
    nth: int = 1
    times: int = 1
    conditions: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    """Number of requests or pods that have matched."""
    fired: int = 0
    """Number of those to which the fault was applied."""
    fired_at: float | None = None
    """When it was first applied."""

    def fires(self) -> bool:
        """Whether the fault applies to this matching request or pod, which is counted."""
        self.seen += 1
        if self.seen < self.nth or self._is_over():
            return False
        self.fired += 1
        self.fired_at = now() if self.fired_at is None else self.fired_at
        return True

    def _is_over(self) -> bool:
        """Whether its time has passed, or if it has none, whether it was applied often enough."""
        lasts_s = self.parameters.get("lasts_s", 0)
        if lasts_s:
            return self.fired_at is not None and now() >= self.fired_at + lasts_s
        return self.fired >= self.times

    def as_json(self) -> dict[str, Any]:
        """The fault as it was given, with its counters."""
        given = {"where": self.where, "what": self.what, "nth": self.nth, "times": self.times}
        return given | self.conditions | self.parameters | {"seen": self.seen, "fired": self.fired}


def parse(text: str | dict[str, Any]) -> Fault:
    """The fault that a JSON object describes. Raises BadFault."""
    given = _object(text)
    what = given.get("what")
    if not isinstance(what, str) or what not in FAULT_KINDS:
        raise BadFault(f"$.what: unknown fault {what!r}; known: {', '.join(FAULT_KINDS)}")
    kind = FAULT_KINDS[what]
    where = given.get("where", "pod" if kind.scope == "pod" else DEFAULT_ROUTES.get(kind.scope))
    if where is None or (where == "pod") != (kind.scope == "pod"):
        raise BadFault(f'{what} needs "where": ' + ('"pod"' if kind.scope == "pod" else 'a route: "POST /v2/pods"'))
    if lines := breaches(given, shape_of(what)):
        takes = ["where", "what", "nth", "times", *CONDITIONS, *kind.parameters]
        raise BadFault(f"{what}: {'; '.join(lines)}. It takes {', '.join(takes)}")
    return _completed(Fault(where, what), kind, given)


def _object(text: str | dict[str, Any]) -> dict[str, Any]:
    """A copy of the object. Raises BadFault."""
    try:
        given = read_json(text.encode()) if isinstance(text, str) else text
    except ValueError as error:
        raise BadFault("a fault is a JSON object; this is not JSON") from error
    if not isinstance(given, dict):
        raise BadFault(f"a fault is a JSON object, not {type(given).__name__}")
    return dict(given)


def _completed(fault: Fault, kind: FaultKind, given: dict[str, Any]) -> Fault:
    """The fault with everything that is given, which has been checked."""
    fault.conditions = {key: given[key] for key in CONDITIONS if key in given}
    lasting = fault.what in LASTING and "nth" not in given
    fault.nth = given.get("nth", 1)
    fault.times = given.get("times", FOREVER if lasting else 1) or FOREVER
    fault.parameters = kind.parameters | {key: given[key] for key in kind.parameters if key in given}
    return fault


@dataclass(slots=True)
class Faults:
    """All faults of a simulator."""

    rows: list[Fault] = field(default_factory=list)

    def on_route(self, route: str, facts: Facts) -> Fault | None:
        """The fault that applies to this request, if any. route is `METHOD /v2/…` with `{id}` for ids."""
        for fault in self.rows:
            if FAULT_KINDS[fault.what].scope != "route" or not _covers(fault.where, route):
                continue
            if _matches(fault.conditions, facts) and fault.fires():
                return fault
        return None

    def on(self, what: str, facts: Facts) -> Fault | None:
        """The fault of this kind that applies to a request or pod with these facts, if any."""
        for fault in self.rows:
            if fault.what == what and _matches(fault.conditions, facts) and fault.fires():
                return fault
        return None

    def on_pod(self, facts: Facts) -> dict[str, dict[str, Any]]:
        """The faults that a new pod gets: their parameters by kind."""
        fired = [
            fault for fault in self.rows if fault.where == "pod" and _matches(fault.conditions, facts) and fault.fires()
        ]
        return {fault.what: dict(fault.parameters) for fault in fired}


def _covers(where: str, route: str) -> bool:
    if where == "*":
        return True
    method, _, path = where.partition(" ")
    real_method, _, real_path = route.partition(" ")
    return method in ("*", real_method) and (path in ("*", real_path))


def _matches(conditions: dict[str, str], facts: Facts) -> bool:
    return all(value in facts.get(key, ()) for key, value in conditions.items())
