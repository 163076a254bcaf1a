"""The faults that cases are made of, and which of them need a person. Data."""

from __future__ import annotations

from typing import Any

FaultJson = dict[str, Any]
POST = "POST /v2/pods"

# A run gets over these: it ends as if nothing had happened.
MILD: tuple[FaultJson, ...] = (
    {"where": POST, "what": "effect-then-500"},
    {"where": POST, "what": "effect-then-reset"},
    {"where": POST, "what": "effect-then-hang", "seconds": 3},
    {"where": POST, "what": "reset"},
    {"where": POST, "what": "late-create", "seconds": 3},
    {"where": "pod", "what": "short-name"},
    {"where": "DELETE /v2/pods/{id}", "what": "refuse", "status": 404, "detail": "pod not found"},
    {"where": "GET /v2/pods/{id}", "what": "refuse", "status": 404, "detail": "pod not found", "nth": 3},
    {"where": "GET /v2/pods/{id}", "what": "refuse", "status": 502, "html": True, "times": 3},
    {"where": "GET /v2/pods", "what": "nonsense", "times": 2},
    {"where": "GET /v2/pods", "what": "unfolds", "megabytes": 64},
    {"where": "GET /v2/pods/{id}", "what": "deep"},
    {"where": "GET /v2/pods/{id}", "what": "drip", "seconds": 0.02},
    {"where": "*", "what": "edge-refuses", "times": 3},
    {"where": "GET /v2/pods/{id}", "what": "edge-refuses", "form": "text", "lasts_s": 3},
    {"where": "DELETE /v2/pods/{id}", "what": "edge-refuses", "form": "html", "status": 401, "times": 3},
    {"where": "GET /v2/pods/{id}", "what": "key-refused", "lasts_s": 3},
    {"where": "DELETE /v2/pods/{id}", "what": "key-refused", "lasts_s": 3},
    {"where": "GET /v2/pods", "what": "omits-rows", "count": 9, "times": 3},
    {"where": "GET /v2/pods/{id}", "what": "other-account", "times": 2},
    {"where": POST, "what": "late-create", "seconds": 25},
    {"where": "pods", "what": "stop-ignored"},
    {"where": "pods", "what": "host-full"},
    {"where": "pod", "what": "other-price", "usd_per_hour": 0.01},
    {"where": "pod", "what": "other-price", "usd_per_hour": 7200},
    {"where": "pod", "what": "price-changes", "after_s": 4, "usd_per_hour": 7200},
    {"where": POST, "what": "clock-jumps", "seconds": 7200},
    {"where": "GET /v2/pods/{id}", "what": "clock-jumps", "seconds": -7200, "nth": 2},
    {"where": "pod", "what": "pod-clock-jumps", "after_s": 1, "seconds": 7200},
    {"where": "pod", "what": "pod-clock-jumps", "after_s": 1, "seconds": -7200},
    {"where": "pod", "what": "other-delivery", "datacenter_id": "AP-JP-1"},
    {"where": "pod", "what": "other-delivery", "gpus": 0, "after_start": True},
    {"where": "pod", "what": "stale-address", "seconds": 5},
    {"where": "GET /v2/pods", "what": "odd-rows", "times": 0},
    {
        "where": "pod",
        "what": "odd-fields",
        "fields": {"disk": "much", "createdAt": 7, "runtime.uptime": "x", "ssh": "x"},
    },
    {"where": "pod", "what": "other-price", "usd_per_hour": "NaN"},
    {"where": "*", "what": "reset", "nth": 2},
    {"where": "*", "what": "rate-limited", "retry_after_s": 1, "times": 3},
    {"where": "*", "what": "slow", "seconds": 1.0, "times": 3},
    {"where": "DELETE /v2/pods/{id}", "what": "delete-ignored", "times": 2},
    {"where": "DELETE /v2/pods/{id}", "what": "effect-then-500"},
    {"where": "pod", "what": "ssh-refused", "connections": 2},
    {"where": "pod", "what": "ssh-hangs", "connections": 1},
    {"where": "pod", "what": "ssh-drops", "after_bytes": 20_000},
    {"where": "pod", "what": "delete-lags", "seconds": 4},
    {"where": "pod", "what": "lag", "seconds": 4},
    {"where": "pod", "what": "slow-boot", "seconds": 3},
    {"where": "pod", "what": "running-at-once"},
)
# After these a run may fail; it must say so, and nothing may be left.
ROUGH: tuple[FaultJson, ...] = (
    {"where": POST, "what": "no-stock", "nth": 1, "times": 1},
    {"where": "pod", "what": "never-running"},
    {"where": "pod", "what": "sshd-never"},
    {"where": "pod", "what": "boot-error"},
    {"where": "pod", "what": "image-pull-fails"},
    {"where": "pod", "what": "image-pull-fails", "cause": "not-found"},
    {"where": "pod", "what": "crash-loop"},
    {"where": "pod", "what": "no-ssh-port"},
    {"where": "pod", "what": "other-delivery", "gpus": 0},
    {"where": POST, "what": "refuse", "status": 500, "detail": "create pod: no instances currently available"},
    {"where": "pod", "what": "ssh-key-refused"},
    {"where": "pod", "what": "other-host-key", "connections": 1},
    {"where": "pod", "what": "key-revoked"},
    {"where": "pod", "what": "locked"},
    {"where": "pod", "what": "migrates", "after_s": 3},
    {"where": "pod", "what": "balance-runs-out", "after_s": 4},
    {"where": "*", "what": "key-refused", "lasts_s": 3, "nth": 4},
    {"where": "pod", "what": "pod-dies", "after_s": 3},
    {"where": "pod", "what": "pod-dies", "after_s": 4, "as": "exited"},
    {"where": "pod", "what": "container-exits", "after_s": 3},
)

NEEDS_A_PERSON = ("other-host-key", "migrates", "locked")
"""No driver can resolve these without a person: the guard has to end the pod, so the cap is small."""
BOOT_FAILURES = ("never-running", "sshd-never", "image-pull-fails", "crash-loop", "ssh-key-refused", "no-ssh-port")
"""With these the driver waits for its whole boot timeout, so it is short."""
