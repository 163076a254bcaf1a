"""The bodies of the simulator's own API: what makes no sense is refused by its field, and nothing of it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runpod_sim.containers.supervisor import CRASH_LINES, PULL_LINES
from runpod_sim.faults.kinds import FAULT_KINDS
from runpod_sim.faults.shapes import NAMED, shape_of
from runpod_sim.records.validation import breaches

from .conftest import Sim

DEEP = b"[" * 100_000 + b"]" * 100_000
NO_JSON = [b"{", b"\xff\xfe", DEEP, b'{"usd": NaN}', b'{"per_minute": Infinity}', b'{"count": -Infinity}', b""]
ROUTES = ["PUT stock", "PUT balance", "PUT billing", "PUT quota", "POST faults"]
HUGE = 10**400


def states(sim: Sim) -> list[Any]:
    """Everything that these calls could change."""
    rates = sim.call("GET", "/v2/pods").headers["RateLimit-Policy"]
    stock = sim.call("GET", "/v2/catalog/gpus?include=AVAILABILITY&product=POD").body
    return [sim.call("GET", "/_sim/faults").body, rates, stock]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("raw", [*NO_JSON, b"null", b"7", b'"x"', b"[7]", b'[["a"]]'])
def test_a_body_that_is_no_object_is_refused(sim: Sim, route: str, raw: bytes) -> None:
    method, path = route.split()
    answer = sim.call(method, f"/_sim/{path}", raw)
    assert (answer.status, answer.body["errors"][0][0]) == (422, "$")


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("PUT stock", {}, "'count'"),
        ("PUT stock", {"count": "2"}, "$.count"),
        ("PUT stock", {"count": True}, "$.count"),
        ("PUT stock", {"count": -1}, "$.count"),
        ("PUT stock", {"count": HUGE}, "$.count"),
        ("PUT stock", {"count": 1, "gpu": ["NVIDIA A40"]}, "$.gpu"),
        ("PUT stock", {"count": 1, "gpu": "NVIDIA A41"}, "$.gpu"),
        ("PUT stock", {"count": 1, "datacenter": {}}, "$.datacenter"),
        ("PUT stock", {"count": 1, "cloud": "ALL"}, "$.cloud"),
        ("PUT stock", {"count": 1, "colour": "red"}, "'colour'"),
        ("PUT balance", {"usd": None}, "$.usd"),
        ("PUT balance", {"usd": "NaN"}, "$.usd"),
        ("PUT balance", {"usd": HUGE}, "$.usd"),
        ("PUT billing", {"lag_s": -1}, "$.lag_s"),
        ("PUT billing", {"lag_s": "1"}, "$.lag_s"),
        ("PUT quota", {"per_minute": -5}, "$.per_minute"),
        ("PUT quota", {"per_minute": 1.5}, "$.per_minute"),
        ("PUT quota", {}, "'per_minute'"),
        ("POST faults", {}, "$.what"),
        ("POST faults", {"what": ["slow"]}, "$.what"),
        ("POST faults", {"what": "slow", "where": ["*"]}, "$.where"),
        ("POST faults", {"what": "slow", "where": "*", "nth": "one"}, "$.nth"),
        ("POST faults", {"what": "slow", "where": "*", "nth": 0}, "$.nth"),
        ("POST faults", {"what": "slow", "where": "*", "times": None}, "$.times"),
        ("POST faults", {"what": "slow", "where": "*", "seconds": "5"}, "$.seconds"),
        ("POST faults", {"what": "slow", "where": "*", "seconds": -1}, "$.seconds"),
        ("POST faults", {"what": "slow", "where": "*", "gpu": {"id": "x"}}, "$.gpu"),
        ("POST faults", {"what": "refuse", "where": "*", "status": 7}, "$.status"),
        ("POST faults", {"what": "deep", "where": "*", "levels": 10**12}, "$.levels"),
        ("POST faults", {"what": "unfolds", "where": "*", "megabytes": 10**6}, "$.megabytes"),
        ("POST faults", {"what": "image-pull-fails", "cause": "unheard-of"}, "$.cause"),
        ("POST faults", {"what": "odd-rows", "where": "*", "rows": "x"}, "$.rows"),
        ("POST faults", [{"what": "lag"}, {"what": "lag", "seconds": None}], "$.seconds"),
    ],
)
def test_a_field_that_makes_no_sense_is_named_and_nothing_is_kept(sim: Sim, route: str, body: Any, field: str) -> None:
    method, path = route.split()
    before = states(sim)
    answer = sim.call(method, f"/_sim/{path}", body)
    assert answer.status == 422
    assert field in answer.body["errors"][0]
    assert states(sim) == before


def test_the_end_of_a_pod_is_one_of_two(sim: Sim) -> None:
    pod = sim.create(ports=[])
    for end_state in (["gone"], "deleted", None, 7):
        answer = sim.call("POST", f"/_sim/pods/{pod['id']}/kill", {"as": end_state})
        assert (answer.status, answer.body["errors"][0][:4]) == (422, "$.as")
    assert sim.pod(pod)["status"] != "EXITED"
    assert sim.call("POST", f"/_sim/pods/{pod['id']}/kill").status == 200


def test_a_huge_body_is_refused(sim: Sim) -> None:
    for size in (2 << 20, 65 << 20):
        assert sim.call("PUT", "/_sim/balance", b'{"usd": 5}' + b" " * size).status == 413


def test_no_number_of_faults_slows_each_request_down(sim: Sim) -> None:
    many = [{"what": "lag", "name": "none"}] * 10_000
    assert sim.call("POST", "/_sim/faults", many).status == 201
    answer = sim.call("POST", "/_sim/faults", many[:1])
    assert (answer.status, answer.body["errors"]) == (422, ["$: at most 10000 are kept, not 10001"])


def test_every_cause_of_a_failure_has_its_words() -> None:
    assert NAMED["image-pull-fails.cause"]["enum"] == list(PULL_LINES)
    assert NAMED["crash-loop.cause"]["enum"] == list(CRASH_LINES)
    parameters = {f"{what}.{name}" for what, kind in FAULT_KINDS.items() for name in kind.parameters}
    assert set(NAMED) <= parameters
    for what, kind in FAULT_KINDS.items():
        assert breaches({"what": what} | json.loads(json.dumps(kind.parameters)), shape_of(what)) == []


VALUES: list[Any] = [None, True, 0, 1e300, 520, "\x1b[2J\n", ["x"] * 900, {"a": {}}]
READ = ["/v2/pods", "/v2/pods/{id}", "/_sim/pods", "/_sim/ledger", "/_sim/faults", "/v2/billing/pods"]
WAITED = ("seconds", "after_s", "lasts_s", "connections", "megabytes", "levels")
"""Parameters that only lead to a wait, or to a large answer."""
PLAYED = [
    (what, name)
    for what, kind in FAULT_KINDS.items()
    for name in kind.parameters
    if name not in WAITED and kind.scope in ("pod", "route") and not what.startswith("effect")
]


@pytest.mark.parametrize(("what", "name"), PLAYED)
def test_an_accepted_value_never_breaks_the_simulator(sim: Sim, what: str, name: str) -> None:
    where = {"where": "GET /v2/pods"} if FAULT_KINDS[what].scope == "route" else {}
    for value in VALUES:
        if sim.call("POST", "/_sim/faults", {"what": what, name: value} | where).status == 201:
            pod = sim.create(ports=[])
            statuses = {path: sim.call("GET", path.format(id=pod["id"])).status for path in READ}
            sim.call("DELETE", "/_sim/faults")
            statuses["DELETE"] = sim.call("DELETE", f"/v2/pods/{pod['id']}").status
            assert 500 not in statuses.values(), (value, statuses)
