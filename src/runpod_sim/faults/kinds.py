"""Every kind of fault: its name, its parameters, its effect. Knows no HTTP and no pods."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

FOREVER = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault."""

    scope: str
    """The kind of request that it changes: any route, create, start, stop or delete; or "pod": the pod itself."""
    parameters: dict[str, Any]
    """Parameters and their defaults."""
    effect: str
    """The help text."""


ODD_ROWS: list[Any] = [
    None,
    "pod",
    {"id": None, "name": None, "status": None},
    {"id": "odd4fields0000", "name": 7, "status": "MIGRATING", "gpu": "none", "cost": "NaN", "mounts": [], "env": None},
]
"""Rows of other pods as they should never be."""

REQUEST_FAULTS = {
    "refuse": FaultKind(
        "route",
        {"status": 503, "html": False, "detail": "upstream request failed", "lasts_s": 0},
        "answers this error, for this time if it is not 0; nothing was done",
    ),
    "edge-refuses": FaultKind(
        "route",
        {"status": 403, "form": "json", "lasts_s": 0},
        "the gateway refuses the request, as json, text or html; nothing was done",
    ),
    "key-refused": FaultKind(
        "route", {"status": 401, "lasts_s": 0}, "the API refuses the key, as while a key is rotated; nothing was done"
    ),
    "odd-rows": FaultKind(
        "route", {"rows": ODD_ROWS}, "a list holds these rows, too: other pods, offers or volumes that make no sense"
    ),
    "omits-rows": FaultKind(
        "route", {"count": 1}, "a list lacks this many of its first rows, which are the newest pods"
    ),
    "other-account": FaultKind(
        "route", {}, "answers as for a key of another account, for which none of these pods exists; nothing was done"
    ),
    "reset": FaultKind("route", {}, "resets the connection; nothing was done"),
    "nonsense": FaultKind("route", {}, "answers 200 with text that is not JSON; nothing was done"),
    "rate-limited": FaultKind("route", {"retry_after_s": 1}, "answers 429 with Retry-After; nothing was done"),
    "slow": FaultKind("route", {"seconds": 5.0}, "answers as usual after this delay"),
    "clock-jumps": FaultKind(
        "route", {"seconds": 7200.0}, "sets the API's clock forward by this, or back, and answers as usual"
    ),
    "drip": FaultKind("route", {"seconds": 5.0}, "answers as usual, but a byte at a time with this pause after each"),
    "unfolds": FaultKind(
        "route",
        {"megabytes": 256},
        "answers 200 with a small compressed body that unfolds to this size; nothing was done",
    ),
    "deep": FaultKind("route", {"levels": 100_000}, "answers 200 with JSON of this many levels; nothing was done"),
    "effect-then-500": FaultKind("route", {"status": 500, "html": False}, "does the work, but answers this error"),
    "effect-then-reset": FaultKind("route", {}, "does the work, then resets the connection without an answer"),
    "effect-then-hang": FaultKind(
        "route", {"seconds": 3600.0}, "does the work, sends nothing for this time, then resets the connection"
    ),
    "no-stock": FaultKind("create", {}, "refuses the pod for lack of capacity, although the catalogue shows stock"),
    "late-create": FaultKind(
        "create", {"seconds": 40.0}, "answers 504 at once, and makes the pod this much later all the same"
    ),
    "disk-optional": FaultKind("create", {}, "accepts a create without disk, as the published API document says"),
    "host-full": FaultKind("start", {}, "refuses to start a stopped pod: its host has no free GPU"),
    "delete-ignored": FaultKind("delete", {}, "answers 204 to a delete, but does nothing"),
    "stop-ignored": FaultKind("stop", {}, "answers 200 to a stop, but does nothing"),
}
POD_FAULTS = {
    "lag": FaultKind("pod", {"seconds": 5.0}, "the API does not know a new pod for this time: not listed, 404"),
    "locked": FaultKind("pod", {}, "the pod is locked: the API refuses to stop it"),
    "short-name": FaultKind("pod", {"chars": 12}, "the API shortens the pod's name to this length"),
    "never-running": FaultKind(
        "pod", {"status": "PROVISIONING"}, "the pod stays in this status; with RUNNING it never gets a runtime"
    ),
    "slow-boot": FaultKind("pod", {"seconds": 10.0}, "the boot takes this much longer"),
    "image-pull-fails": FaultKind(
        "pod",
        {"cause": "broken"},
        "the image pull fails; only the system log shows it: broken, not-found, denied, rate-limit or disk-full",
    ),
    "crash-loop": FaultKind(
        "pod", {"cause": "cuda"}, "the container never starts; only the system log shows it: cuda, memory or command"
    ),
    "no-ssh-port": FaultKind("pod", {}, "the pod runs, but its SSH port has no public address"),
    "other-price": FaultKind("pod", {"usd_per_hour": 0.0}, "the API shows this price; a number above 0 is billed, too"),
    "price-changes": FaultKind(
        "pod", {"after_s": 5.0, "usd_per_hour": 1.0}, "the pod's price becomes this, so long after the create"
    ),
    "other-delivery": FaultKind(
        "pod",
        {"gpu_id": None, "gpus": None, "datacenter_id": None, "cloud_type": None, "after_start": False},
        "the pod has these instead of what was asked for, or only once it is started again",
    ),
    "odd-fields": FaultKind(
        "pod", {"fields": {}}, 'the API shows these fields of the pod, by path: {"runtime.uptime": null}'
    ),
    "balance-runs-out": FaultKind("pod", {"after_s": 5.0}, "the account has no credit left this long after the create"),
    "boot-error": FaultKind("pod", {}, "the boot ends in the status ERROR"),
    "sshd-never": FaultKind("pod", {}, "the SSH port is mapped, but nothing ever listens there"),
    "ssh-refused": FaultKind("pod", {"connections": 3}, "the first SSH connections are closed at once"),
    "ssh-hangs": FaultKind("pod", {"connections": 1}, "the first SSH connections open, but nothing is sent"),
    "ssh-key-refused": FaultKind(
        "pod", {"connections": FOREVER}, "every key is refused on the first SSH connections; by default on all"
    ),
    "ssh-drops": FaultKind(
        "pod", {"after_bytes": 1_000_000, "connections": 1}, "this many SSH connections are cut after this many bytes"
    ),
    "other-host-key": FaultKind("pod", {"connections": 1}, "the SSH host key changes after the first connections"),
    "pod-dies": FaultKind(
        "pod", {"after_s": 5.0, "as": "gone"}, 'the host is lost this long after the boot; pod "gone" or "exited"'
    ),
    "migrates": FaultKind(
        "pod",
        {"after_s": 5.0},
        "the pod is moved this long after the boot: a pod with a new id, the same environment and an empty disk boots",
    ),
    "pod-clock-jumps": FaultKind(
        "pod",
        {"after_s": 5.0, "seconds": 7200.0},
        "the pod's clock is set forward by this, or back, so long after the boot: what `date` prints",
    ),
    "container-exits": FaultKind(
        "pod", {"after_s": 5.0}, "PID 1 is killed once, this long after its start; the container restarts as usual"
    ),
    "delete-lags": FaultKind("pod", {"seconds": 20.0}, "a deleted pod ends at once, but stays listed for this time"),
    "key-revoked": FaultKind("pod", {}, "the pod's own API key is refused"),
    "stale-address": FaultKind("pod", {"seconds": 30.0}, "a resumed pod shows its former SSH port for this time"),
    "running-at-once": FaultKind(
        "pod", {}, "the status is RUNNING from the first answer on; the runtime still comes with the boot"
    ),
}
FAULT_KINDS = REQUEST_FAULTS | POD_FAULTS
LASTING = ("no-stock", "disk-optional", "running-at-once")
"""These apply every time unless "nth" is given; all others apply once."""
CONDITIONS = ("gpu", "datacenter", "name", "pod_id")
"""A fault applies only to requests and pods that match all of the conditions that it names."""


def describe() -> str:
    """All kinds of fault as a page of text."""
    lines = [
        'A fault is a JSON object: {"where": "POST /v2/pods", "nth": 1, "what": "effect-then-500"}.',
        "",
        "  what    the kind of fault, from the lists below",
        '  where   a route ("GET /v2/pods/{id}", "POST /v2/pods/{id}/action", "* /v2/pods", "*") or "pod"',
        "  nth     the first matching request or pod that it applies to, counted from now on (1)",
        "  times   how many requests or pods it applies to (1; 0: all of them)",
        f"          {', '.join(LASTING)}: all of them unless nth is given",
        f"  {', '.join(CONDITIONS)}   only requests and pods that match",
        "",
    ]
    for title, kinds in (("Faults of requests", REQUEST_FAULTS), ("Faults of pods", POD_FAULTS)):
        lines += [f"{title}:", *(_line(what, kind) for what, kind in kinds.items()), ""]
    return "\n".join(lines)


def _line(what: str, kind: FaultKind) -> str:
    shown = ", ".join(f'"{key}": {json.dumps(value)}' for key, value in kind.parameters.items() if value != FOREVER)
    return f"  {what:<18} {kind.effect}" + (f"   {{{shown}}}" if shown else "")
