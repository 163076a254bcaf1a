"""Faults of strange answers and deliveries: each has the effect that its help text describes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from .conftest import Sim


@pytest.mark.parametrize(("form", "words"), [("json", b"cloudflare_error"), ("text", b"1010"), ("html", b"<html>")])
def test_a_gateway_refuses_in_its_own_words_and_without_the_api_s_headers(sim: Sim, form: str, words: bytes) -> None:
    sim.fault(where="GET /v2/pods", what="edge-refuses", form=form, status=401)
    answer = sim.call("GET", "/v2/pods")
    raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    assert answer.status == 401 and words in raw
    assert "x-request-id" not in {name.lower() for name in answer.headers}
    assert sim.call("GET", "/v2/pods").status == 200


def test_a_key_is_refused_for_a_while(sim: Sim) -> None:
    sim.fault(where="GET /v2/pods", what="key-refused", lasts_s=0.8)
    assert [sim.call("GET", "/v2/pods").status for _ in range(3)] == [401] * 3
    time.sleep(0.9)
    assert sim.call("GET", "/v2/pods").status == 200


def test_odd_rows_stand_beside_the_true_ones(sim: Sim) -> None:
    pod = sim.create()
    sim.fault(where="GET /v2/pods", what="odd-rows", rows=[None, {"id": 7}])
    assert [row and row["id"] for row in sim.call("GET", "/v2/pods").body["pods"]] == [None, 7, pod["id"]]


def test_a_list_omits_its_newest_pods(sim: Sim) -> None:
    older, newer = sim.create(), sim.create()
    sim.fault(where="GET /v2/pods", what="omits-rows", count=1)
    assert [row["id"] for row in sim.call("GET", "/v2/pods").body["pods"]] == [older["id"]]
    assert sim.call("GET", f"/v2/pods/{newer['id']}").status == 200


def test_a_pod_is_moved_to_a_new_id(sim: Sim) -> None:
    sim.fault(what="migrates", after_s=0.2)
    before = sim.create(env={"WHOSE": "mine"})
    sim.until(lambda: sim.call("GET", f"/v2/pods/{before['id']}").status == 404)
    (after,) = sim.call("GET", "/v2/pods").body["pods"]
    assert after["id"] != before["id"] and (after["name"], after["env"]) == (before["name"], before["env"])
    assert after["createdAt"] > before["createdAt"]


def billed_usd(sim: Sim) -> float:
    """The cost of all pods until now."""
    return float(sim.call("GET", "/_sim/ledger").body["billed_usd"])


@pytest.mark.parametrize("told", [0.0, -1, "NaN", None])
def test_a_price_that_is_none_is_shown_and_not_billed(sim: Sim, told: Any) -> None:
    before_usd = billed_usd(sim)
    sim.fault(what="other-price", usd_per_hour=told)
    assert sim.create()["cost"] == told
    sim.until(lambda: billed_usd(sim) > before_usd)


def test_another_delivery_is_shown(sim: Sim) -> None:
    sim.fault(what="other-delivery", gpu_id="NVIDIA A40", gpus=0, datacenter_id="AP-JP-1", cloud_type="COMMUNITY")
    pod = sim.create()
    assert (pod["gpu"]["id"], pod["gpu"]["count"]) == ("NVIDIA A40", 0)
    assert (pod["dataCenterId"], pod["cloud"]) == ("AP-JP-1", "COMMUNITY")


def test_a_pod_loses_its_gpus_only_when_it_is_started_again(sim: Sim) -> None:
    sim.fault(what="other-delivery", gpus=0, after_start=True)
    pod = sim.create()
    assert pod["gpu"]["count"] > 0
    sim.ready(pod)
    sim.act(pod, "stop")
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    assert sim.act(pod, "start").body["gpu"]["count"] == 0


def test_odd_fields_are_shown_where_the_pod_is(sim: Sim) -> None:
    sim.fault(what="odd-fields", fields={"disk": "much", "gpu.count": None, "runtime.uptime": "x"})
    pod = sim.create()
    assert (pod["disk"], pod["gpu"]["count"], pod["runtime"]) == ("much", None, None)
    assert sim.pod(pod)["disk"] == "much"


def test_a_pod_without_a_public_ssh_port_runs(sim: Sim) -> None:
    sim.fault(what="no-ssh-port")
    pod = sim.create()
    runtime = sim.until(lambda: sim.pod(pod)["runtime"])
    assert sim.pod(pod)["ssh"]["direct"] is None
    assert [port["ip"] for port in runtime["ports"] if port["private"] == 22] == ["100.65.14.155"]


@pytest.mark.parametrize(
    ("what", "cause", "words"),
    [
        ("image-pull-fails", "not-found", "manifest unknown"),
        ("image-pull-fails", "denied", "pull access denied"),
        ("image-pull-fails", "rate-limit", "toomanyrequests"),
        ("image-pull-fails", "disk-full", "no space left on device"),
        ("crash-loop", "memory", "out of memory"),
        ("crash-loop", "command", "executable file not found"),
    ],
)
def test_the_host_says_why_it_cannot_start_the_container(sim: Sim, what: str, cause: str, words: str) -> None:
    sim.fault(what=what, cause=cause)
    pod = sim.create()
    sim.until(lambda: any(words in line["line"] for line in sim.logs(pod, "?source=system")))


def test_a_balance_runs_out_and_ends_the_pod(sim: Sim) -> None:
    sim.fault(what="balance-runs-out", after_s=0.5)
    pod = sim.create()
    sim.until(lambda: sim.ledger_row(pod)["how"] == "balance")
    sim.call("PUT", "/_sim/balance", {"usd": 1_000_000})
