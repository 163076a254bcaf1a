"""The faults that blur whose a pod is and whether it exists."""

from __future__ import annotations

import time

from .conftest import Sim
from .test_faults_of_requests import listing


def test_late_create_fails_at_once_and_makes_the_pod_later(sim: Sim) -> None:
    sim.fault(what="late-create", seconds=0.3)
    assert sim.call("POST", "/v2/pods", sim.body()).status == 504
    assert listing(sim) == []
    deadline = time.monotonic() + 10
    while not listing(sim) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(listing(sim)) == 1


def test_another_account_sees_no_pod_and_ends_none(sim: Sim) -> None:
    pod = sim.create()
    sim.fault(where="*", what="other-account", times=3)
    assert listing(sim) == []
    assert sim.call("GET", f"/v2/pods/{pod['id']}").status == 404
    assert sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 404
    assert listing(sim) == [pod["id"]]


def test_a_locked_pod_is_not_stopped_but_deleted(sim: Sim) -> None:
    sim.fault(what="locked")
    pod = sim.create()
    assert pod["locked"] is True
    refused = sim.call("POST", f"/v2/pods/{pod['id']}/action", {"action": "stop"})
    assert refused.status == 409 and "locked" in refused.body["detail"]
    assert sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 204


def test_a_short_name_is_cut_off(sim: Sim) -> None:
    sim.fault(what="short-name", chars=3)
    assert sim.create()["name"] == sim.body()["name"][:3]
