"""Each fault of requests has the effect that its help text describes, on the requests that match."""

from __future__ import annotations

import re
import subprocess
import time

import pytest
import urllib3

from runpod_sim.faults.kinds import FAULT_KINDS

from .conftest import Sim, tool
from .document import ROOT


def listing(sim: Sim) -> list[str]:
    return [pod["id"] for pod in sim.call("GET", "/v2/pods").body["pods"]]


def test_refuse_answers_an_error_and_does_nothing(sim: Sim) -> None:
    sim.fault(where="POST /v2/pods", what="refuse", status=503)
    refused = sim.call("POST", "/v2/pods", sim.body())
    assert refused.status == 503
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert listing(sim) == []
    assert sim.create()["id"] in listing(sim)


def test_refuse_may_be_a_proxys_page(sim: Sim) -> None:
    sim.fault(where="GET /v2/pods", what="refuse", status=502, html=True)
    page = sim.call("GET", "/v2/pods")
    assert (page.status, page.headers["Content-Type"].split(";")[0]) == (502, "text/html")
    assert b"502 Bad Gateway" in page.body


def test_reset_and_effect_then_reset_differ_in_what_was_done(sim: Sim) -> None:
    for what, made in (("reset", 0), ("effect-then-reset", 1)):
        sim.fault(where="POST /v2/pods", what=what)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            sim.call("POST", "/v2/pods", sim.body())
        assert len(listing(sim)) == made


def test_nonsense_is_no_json(sim: Sim) -> None:
    sim.fault(where="GET /v2/pods/{id}", what="nonsense")
    pod = sim.create()
    with pytest.raises(ValueError, match="Unterminated string"):
        sim.pod(pod)
    assert sim.pod(pod)["id"] == pod["id"]


def test_rate_limited_says_how_long_to_wait(sim: Sim) -> None:
    sim.fault(where="*", what="rate-limited", retry_after_s=7, times=2)
    answers = [sim.call("GET", "/v2/pods") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].body["detail"] == "rate limit exceeded for the minute window"


def test_slow_answers_late_and_right(sim: Sim) -> None:
    sim.fault(where="* /v2/pods", what="slow", seconds=0.4)
    before = time.monotonic()
    assert sim.call("GET", "/v2/pods").status == 200
    assert time.monotonic() - before >= 0.4


def test_a_drip_is_slow_and_whole(sim: Sim) -> None:
    sim.fault(where="GET /v2/pods", what="drip", seconds=0.02)
    before = time.monotonic()
    answer = sim.call("GET", "/v2/pods")
    assert (answer.status, answer.body["pods"]) == (200, [])
    assert time.monotonic() - before >= 0.2


def test_a_small_answer_unfolds(sim: Sim) -> None:
    sim.fault(where="GET /v2/pods", what="unfolds", megabytes=3)
    assert sim.call("GET", "/v2/pods").body == {"pods": []}


def test_a_deep_answer_is_as_deep_as_asked(sim: Sim) -> None:
    sim.fault(where="GET /v2/pods", what="deep", levels=3)
    assert sim.call("GET", "/v2/pods").body == {"pods": [[[]]]}


def test_effect_then_500_has_made_the_pod(sim: Sim) -> None:
    sim.fault(where="POST /v2/pods", what="effect-then-500")
    assert sim.call("POST", "/v2/pods", sim.body(name="mine")).status == 500
    assert [pod["name"] for pod in sim.call("GET", "/v2/pods").body["pods"]] == ["mine"]


def test_effect_then_hang_has_made_the_pod(sim: Sim) -> None:
    sim.fault(where="POST /v2/pods", what="effect-then-hang", seconds=0.3)
    before = time.monotonic()
    with pytest.raises(urllib3.exceptions.ProtocolError):
        sim.call("POST", "/v2/pods", sim.body())
    assert time.monotonic() - before >= 0.3
    assert len(listing(sim)) == 1


def test_no_stock_refuses_what_the_catalogue_shows_until_it_is_taken_back(sim: Sim) -> None:
    sim.fault(what="no-stock", gpu="NVIDIA A40", datacenter="EU-RO-1")
    gpu = {"id": "NVIDIA A40", "count": 1}
    for _ in range(2):
        refused = sim.call("POST", "/v2/pods", sim.body(gpu=gpu, dataCenterIds=["EU-RO-1"]))
        assert refused.status == 400
        assert refused.body["detail"].startswith("There are no longer any instances available")
    shown = sim.call("GET", "/v2/catalog/gpus/NVIDIA%20A40?include=AVAILABILITY&product=POD").body
    assert {"id": "EU-RO-1", "name": "EU Romania 1", "availability": "MEDIUM"} in shown["dataCenters"]
    assert sim.create(gpu=gpu)["dataCenterId"] != "EU-RO-1"
    assert sim.call("DELETE", "/_sim/faults").status == 200
    assert sim.create(gpu=gpu, dataCenterIds=["EU-RO-1"])["dataCenterId"] == "EU-RO-1"


def test_host_full_keeps_a_stopped_pod_stopped(sim: Sim) -> None:
    pod = sim.create()
    assert sim.act(pod, "stop").status == 200
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    sim.fault(what="host-full", pod_id=pod["id"])
    refused = sim.act(pod, "start")
    assert refused.status == 400
    assert refused.body["detail"] == "There are not enough free GPUs on the host machine to start this pod"
    assert sim.act(pod, "start").status == 200


def test_delete_ignored_and_stop_ignored_say_yes_and_do_nothing(sim: Sim) -> None:
    pod = sim.ready(sim.create())
    sim.fault(what="delete-ignored")
    sim.fault(what="stop-ignored")
    assert sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 204
    assert sim.act(pod, "stop").status == 200
    assert sim.pod(pod)["status"] == "RUNNING"
    assert sim.ssh(pod, "true").returncode == 0
    assert sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 204
    assert sim.call("GET", f"/v2/pods/{pod['id']}").status == 404


def test_disk_optional_takes_a_body_without_disk(sim: Sim) -> None:
    body = sim.body()
    del body["disk"]
    assert sim.call("POST", "/v2/pods", body).status == 400
    sim.fault(what="disk-optional")
    assert sim.call("POST", "/v2/pods", body).body["disk"] == 20


@pytest.mark.parametrize(
    "condition",
    [
        {"gpu": "NVIDIA A40"},
        {"datacenter": "EU-RO-1"},
        {"name": "broken"},
    ],
)
def test_a_fault_of_a_request_applies_only_to_requests_that_match(sim: Sim, condition: dict[str, str]) -> None:
    sim.fault(where="POST /v2/pods", what="refuse", times=0, **condition)
    broken = sim.body(name="broken", gpu={"id": "NVIDIA A40"}, dataCenterIds=["US-TX-3", "EU-RO-1"])
    assert sim.call("POST", "/v2/pods", broken).status == 503
    assert sim.call("POST", "/v2/pods", sim.body(dataCenterIds=["EU-SE-1"])).status == 201


def test_a_fault_of_a_pods_requests_leaves_other_pods_alone(sim: Sim) -> None:
    broken, other = sim.create(name="broken"), sim.create()
    sim.fault(where="* /v2/pods/{id}", what="refuse", pod_id=broken["id"])
    sim.fault(where="DELETE /v2/pods/{id}", what="refuse", name="broken")
    assert sim.call("GET", f"/v2/pods/{other['id']}").status == 200
    assert sim.call("GET", f"/v2/pods/{broken['id']}").status == 503
    assert sim.call("GET", f"/v2/pods/{broken['id']}").status == 200
    assert sim.call("DELETE", f"/v2/pods/{other['id']}").status == 204
    assert sim.call("DELETE", f"/v2/pods/{broken['id']}").status == 503


def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(sim: Sim) -> None:
    for fault, reason in (
        ({"what": "unheard-of"}, "unknown fault"),
        ({"what": "slow"}, 'needs "where"'),
        ({"what": "lag", "where": "GET /v2/pods"}, 'needs "where"'),
        ({"what": "lag", "minutes": 3}, "'minutes' not allowed"),
    ):
        answer = sim.call("POST", "/_sim/faults", fault)
        assert answer.status == 422
        assert reason in answer.body["errors"][0]


def test_the_command_and_the_page_list_every_fault_in_the_same_words() -> None:
    printed = subprocess.run(tool("faults"), capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs/simulator.md").read_text()
    assert re.findall(r"^\| `([a-z][a-z0-9-]*)` \|", page, re.M) == list(FAULT_KINDS)
    for name, kind in FAULT_KINDS.items():
        assert re.search(rf"^  {name} +{re.escape(kind.effect)}(   {{.*}})?$", printed, re.M), name
        assert f"| `{name}` | {kind.effect} |" in page, name
