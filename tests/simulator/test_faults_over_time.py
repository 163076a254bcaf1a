"""Faults that change something while pods run: clocks and prices."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from .conftest import Answer, Json, Sim

HOURS = 7200


def told(answer: Answer) -> datetime:
    """The API's clock."""
    return parsedate_to_datetime(answer.headers["Date"])


def billed_usd(sim: Sim, pod: Json) -> float:
    """What the pod has cost until now."""
    rows = sim.call("GET", "/_sim/pods").body["pods"]
    return float(next(row["billed_usd"] for row in rows if row["id"] == pod["id"]))


@pytest.mark.parametrize("seconds", [HOURS, -HOURS])
def test_the_api_s_clock_jumps_and_costs_and_earlier_instants_stay(serve: Callable[..., Sim], seconds: int) -> None:
    sim = serve()
    first = sim.ready(sim.create())
    before = told(sim.call("GET", "/v2/pods"))
    sim.fault(where="GET /v2/pods", what="clock-jumps", seconds=seconds)
    after = told(sim.call("GET", "/v2/pods"))
    assert abs(after - before - timedelta(seconds=seconds)) < timedelta(seconds=30)
    second, again = sim.create(), sim.pod(first)
    assert again["createdAt"] == first["createdAt"] and again["runtime"]["uptime"] < 60
    apart = datetime.fromisoformat(second["createdAt"]) - datetime.fromisoformat(first["createdAt"])
    assert abs(apart - timedelta(seconds=seconds)) < timedelta(seconds=60)
    assert billed_usd(sim, first) < HOURS / 2, "at a dollar a second"
    earlier, later = sim.logs(first, "?tail=1")[0]["ts"], sim.logs(second, "?tail=1")[0]["ts"]
    assert sim.logs(first, f"?since={earlier}") and sim.logs(second, f"?since={later}"), "as the API told them"


@pytest.mark.parametrize("seconds", [HOURS, -HOURS])
def test_the_pod_s_clock_jumps(sim: Sim, seconds: int) -> None:
    sim.fault(what="pod-clock-jumps", after_s=0, seconds=seconds)
    pod = sim.ready(sim.create())
    sim.until(lambda: abs(int(sim.ssh(pod, "date +%s").stdout) - time.time() - seconds) < 60)
    given = sim.ssh(
        pod, "date -u -d @86400 +%F; date -u -r /etc/hostname +%Y || :; nvidia-smi | head -1; sh -c 'date +%s'"
    )
    assert given.stdout.startswith(b"1970-01-02\n"), "a time that was asked for is not now"
    assert abs(int(given.stdout.split()[-1]) - time.time() - seconds) < 60, "for scripts, too"


def test_a_price_changes_from_then_on(sim: Sim) -> None:
    sim.fault(what="price-changes", after_s=1.5, usd_per_hour=36_000)
    pod = sim.create()
    assert pod["cost"] == 3600
    sim.until(lambda: sim.pod(pod)["cost"] == 36_000)
    earlier, began = billed_usd(sim, pod), time.monotonic()
    sim.until(lambda: billed_usd(sim, pod) - earlier > 20)
    assert time.monotonic() - began < 20, "ten dollars a second"
    assert sim.act(pod, "stop").status == 200
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    assert sim.act(pod, "start").body["cost"] == 36_000
