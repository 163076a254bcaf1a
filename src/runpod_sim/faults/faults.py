"""Faults as data: what can be made to go wrong, and when. Knows no HTTP and no pods."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

FOREVER = 1_000_000_000
Facts = Mapping[str, Collection[str]]
"""What an occasion is about, by condition; a request may name several datacenters."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the vocabulary: where it may stand, its parameters with their defaults, what it does."""

    scope: str
    parameters: dict[str, Any]
    effect: str


ROUTE_WORDS = {
    "refuse": Word("route", {"status": 503, "html": False}, "answers that error; nothing was done"),
    "reset": Word("route", {}, "resets the connection; nothing was done"),
    "nonsense": Word("route", {}, "answers 200 with text that is not JSON; nothing was done"),
    "rate-limited": Word("route", {"retry_after_s": 1}, "answers 429 with Retry-After; nothing was done"),
    "slow": Word("route", {"seconds": 5.0}, "answers as usual, so much later"),
    "effect-then-500": Word("route", {"status": 500, "html": False}, "does it, and answers that error all the same"),
    "effect-then-reset": Word("route", {}, "does it, and resets the connection instead of answering"),
    "effect-then-hang": Word("route", {"seconds": 3600.0}, "does it, is silent for so long, and resets the connection"),
    "no-stock": Word("create", {}, "refuses the pod with the capacity text, though the catalogue shows stock"),
    "disk-optional": Word("create", {}, "takes a create without disk, as the published document says"),
    "host-full": Word("start", {}, "refuses to start a stopped pod: its host has no free GPU"),
    "delete-ignored": Word("delete", {}, "answers 204 to a deletion and does nothing"),
    "stop-ignored": Word("stop", {}, "answers 200 to a stop and does nothing"),
}
POD_WORDS = {
    "lag": Word("pod", {"seconds": 5.0}, "the new pod is neither listed nor found for so long"),
    "never-running": Word("pod", {"status": "PROVISIONING"}, "stays in that status; RUNNING: without a runtime"),
    "slow-boot": Word("pod", {"seconds": 10.0}, "boots so much later"),
    "image-pull-fails": Word("pod", {}, "the image never arrives; only the system log says so"),
    "crash-loop": Word("pod", {}, "the container never starts: the host's CUDA is too old"),
    "boot-error": Word("pod", {}, "the status becomes ERROR"),
    "sshd-never": Word("pod", {}, "the port is mapped and nothing ever listens"),
    "ssh-refused": Word("pod", {"connections": 3}, "closes the first so many SSH connections at once"),
    "ssh-hangs": Word("pod", {"connections": 1}, "the first so many SSH connections open and stay silent"),
    "ssh-key-refused": Word("pod", {"connections": FOREVER}, "refuses every key on the first so many connections"),
    "ssh-drops": Word("pod", {"after_bytes": 1_000_000, "connections": 1}, "cuts that many connections after n bytes"),
    "other-host-key": Word("pod", {"connections": 1}, "shows another host key after the first so many connections"),
    "pod-dies": Word("pod", {"after_s": 5.0, "as": "gone"}, "the host is lost so long after the boot: gone or exited"),
    "container-exits": Word("pod", {"after_s": 5.0}, "PID 1 is killed so long after it started; restarted as usual"),
    "delete-lags": Word("pod", {"seconds": 20.0}, "a deleted pod ends, and stays listed for so long"),
    "key-revoked": Word("pod", {}, "the pod's own API key is refused"),
    "stale-address": Word("pod", {"seconds": 30.0}, "a resumed pod shows its former address for so long"),
    "running-at-once": Word(
        "pod", {}, "the status is RUNNING from the first answer on, with no runtime until it boots"
    ),
}
WORDS = ROUTE_WORDS | POD_WORDS
LASTING = ("no-stock", "disk-optional", "running-at-once")
# The fault concerns only requests and pods that name all of these.
CONDITIONS = ("gpu", "datacenter", "name", "pod_id")
ROUTES_OF = {"create": "POST /v2/pods", "start": "pods", "delete": "pods", "stop": "pods"}


class BadFault(ValueError):
    """The fault makes no sense; the message says why."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong, from its nth occasion on, so many times."""

    where: str
    what: str
    nth: int = 1
    times: int = 1
    conditions: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    def strikes(self) -> bool:
        """Whether this occasion is one of those; counts it."""
        self.seen += 1
        if self.seen < self.nth or self.fired >= self.times:
            return False
        self.fired += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The fault as it was given, and how often it was met."""
        given = {"where": self.where, "what": self.what, "nth": self.nth, "times": self.times}
        return given | self.conditions | self.parameters | {"seen": self.seen, "fired": self.fired}


def parse(text: str | dict[str, Any]) -> Fault:
    """The fault that a JSON object describes. Raises BadFault."""
    try:
        given = dict(json.loads(text)) if isinstance(text, str) else dict(text)
    except (ValueError, TypeError) as error:
        raise BadFault(f"not a JSON object: {text}") from error
    what = given.pop("what", None)
    if what not in WORDS:
        raise BadFault(f"unknown fault {what!r}; known: {', '.join(WORDS)}")
    word = WORDS[what]
    where = given.pop("where", "pod" if word.scope == "pod" else ROUTES_OF.get(word.scope))
    if where is None or (where == "pod") != (word.scope == "pod"):
        raise BadFault(f'{what} needs "where": ' + ('"pod"' if word.scope == "pod" else 'a route: "POST /v2/pods"'))
    return _filled(Fault(where, what), word, given)


def _filled(fault: Fault, word: Word, given: dict[str, Any]) -> Fault:
    fault.conditions = {key: str(given.pop(key)) for key in CONDITIONS if key in given}
    # Stock stays out until it is said to come back, and ways stay; everything else happens once.
    lasting = fault.what in LASTING and "nth" not in given
    fault.nth = int(given.pop("nth", 1))
    fault.times = int(given.pop("times", FOREVER if lasting else 1)) or FOREVER
    unknown = sorted(set(given) - set(word.parameters))
    if unknown:
        allowed = ["where", "what", "nth", "times", *CONDITIONS, *word.parameters]
        raise BadFault(f"{fault.what}: unknown {', '.join(unknown)}; it takes {', '.join(allowed)}")
    fault.parameters = word.parameters | given
    return fault


@dataclass(slots=True)
class Faults:
    """All faults of a simulator."""

    rows: list[Fault] = field(default_factory=list)

    def on_route(self, route: str, facts: Facts) -> Fault | None:
        """The fault that strikes this request, if any. route is `METHOD /v2/…` with `{id}` for ids."""
        for fault in self.rows:
            if WORDS[fault.what].scope != "route" or not _covers(fault.where, route):
                continue
            if _fits(fault.conditions, facts) and fault.strikes():
                return fault
        return None

    def on(self, what: str, facts: Facts) -> Fault | None:
        """The fault of that kind that strikes an occasion with these facts, if any."""
        for fault in self.rows:
            if fault.what == what and _fits(fault.conditions, facts) and fault.strikes():
                return fault
        return None

    def on_pod(self, facts: Facts) -> dict[str, dict[str, Any]]:
        """What is in store for a new pod: parameters by word."""
        struck = [
            fault for fault in self.rows if fault.where == "pod" and _fits(fault.conditions, facts) and fault.strikes()
        ]
        return {fault.what: dict(fault.parameters) for fault in struck}


def _covers(where: str, route: str) -> bool:
    if where == "*":
        return True
    method, _, path = where.partition(" ")
    real_method, _, real_path = route.partition(" ")
    return method in ("*", real_method) and (path in ("*", real_path))


def _fits(conditions: dict[str, str], facts: Facts) -> bool:
    return all(value in facts.get(key, ()) for key, value in conditions.items())


def describe() -> str:
    """The vocabulary as a page of text."""
    lines = [
        'A fault is a JSON object: {"where": "POST /v2/pods", "nth": 1, "what": "effect-then-500"}.',
        "",
        '  where   a route ("GET /v2/pods/{id}", "POST /v2/pods/{id}/action", "* /v2/pods", "*") or "pod"',
        "  nth     the first occasion that it strikes, counted from its arrival (1)",
        "  times   on how many occasions it strikes (1; 0: on all)",
        f"          {', '.join(LASTING)} without nth: on all",
        f"  {', '.join(CONDITIONS)}   only where these hold",
        "",
    ]
    for title, words in (("Requests", ROUTE_WORDS), ("Pods", POD_WORDS)):
        lines += [f"{title}:", *(_line(what, word) for what, word in words.items()), ""]
    return "\n".join(lines)


def _line(what: str, word: Word) -> str:
    shown = ", ".join(f'"{key}": {json.dumps(value)}' for key, value in word.parameters.items() if value != FOREVER)
    return f"  {what:<18} {word.effect}" + (f"   {{{shown}}}" if shown else "")
