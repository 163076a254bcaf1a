"""The simulator's answers compared with RunPod's published documents and with recorded answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from .conftest import Answer, Json, Sim
from .document import OBSERVED, PUBLISHED, RECORDED, Document, read

SEEN_SINCE = {"$.gpu.memory", "$.gpu.vcpuCount"}
"""Fields of pods that are newer than the recording."""


@dataclass
class Tourist:
    """A client that holds every answer against a document."""

    sim: Sim
    document: Document
    visited: set[tuple[str, str]] = field(default_factory=set)

    def __call__(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        answer = self.sim.call(method, path, body)
        assert answer.status == expect, (method, path, answer.body)
        self.inspect(method, path, answer)
        return answer.body

    def inspect(self, method: str, path: str, answer: Answer) -> None:
        """Raises AssertionError unless the document has nothing against the answer."""
        kind = answer.headers.get("Content-Type", "")
        complaints = self.document.complaints(method, path, answer.status, kind, answer.body)
        assert not complaints, (method, path, answer.body, complaints)
        assert {"x-request-id", "RateLimit", "RateLimit-Policy"} <= set(answer.headers)
        self.visited.add((method, self.document.path_of(path) or path))


@pytest.fixture(params=[PUBLISHED, OBSERVED])
def visit(request: pytest.FixtureRequest, sim: Sim) -> Tourist:
    return Tourist(sim, Document(read(request.param)))


def test_a_tour_of_everything_leaves_the_documents_nothing_to_complain_about(visit: Tourist) -> None:
    look_around(visit)
    live_with_a_pod(visit)
    keep_things(visit)
    be_refused(visit)
    missed = set(visit.document.operations()) - visit.visited - {("GET", "/v2/pods/{id}/logs")}
    assert missed == set()


def look_around(visit: Tourist) -> None:
    stock = "?include=AVAILABILITY&product=POD"
    for query in (
        "",
        stock,
        stock + "&cloud=COMMUNITY&count=2",
        stock + "&countryCodes=RO,CZ",
        stock + "&minCudaVersion=13.0",
    ):
        visit("GET", "/v2/catalog/gpus" + query)
    visit("GET", "/v2/catalog/gpus/NVIDIA%20A40" + stock)
    visit("GET", "/v2/catalog/cpus" + stock + "&vcpuCount=4")
    visit("GET", "/v2/catalog/cpus/cpu3c")
    visit("GET", "/v2/catalog/datacenters?include=GPU_AVAILABILITY,CPU_AVAILABILITY&regions=EUROPE&globalNetwork=true")
    visit("GET", "/v2/catalog/datacenters/EU-RO-1")
    visit("GET", "/v2/catalog/templates")
    visit("GET", "/v2/catalog/templates?source=community")


def live_with_a_pod(visit: Tourist) -> None:
    sim = visit.sim
    mounts = {"persistent": {"size": 10, "path": "/workspace"}}
    pod = visit("POST", "/v2/pods", sim.body(mounts=mounts, globalNetworking=True), expect=201)
    path = f"/v2/pods/{pod['id']}"
    sim.until(lambda: visit("GET", path)["ssh"]["direct"])
    visit("PATCH", path, {"name": "other"})
    visit("POST", path + "/action", {"action": "restart"})
    visit("POST", path + "/action", {"action": "stop"})
    sim.until(lambda: visit("GET", path)["status"] == "EXITED")
    visit("POST", path + "/action", {"action": "stop"}, expect=409)
    visit("POST", path + "/action", {"action": "start"})
    cpu = sim.body(cpu={"id": "cpu3c", "vcpuCount": 2})
    del cpu["gpu"]
    other = visit("POST", "/v2/pods", cpu, expect=201)
    page = visit("GET", "/v2/pods?limit=1")
    visit("GET", f"/v2/pods?limit=1&cursor={page['pagination']['nextCursor']}")
    visit("POST", path + "/action", {"action": "terminate"}, expect=204)
    visit("DELETE", f"/v2/pods/{other['id']}", expect=204)
    visit("GET", path, expect=404)


def keep_things(visit: Tourist) -> None:
    visit("PUT", "/v2/account/ssh-keys", {"keys": [(visit.sim.home / "key.pub").read_text().strip()]})
    visit("GET", "/v2/account/ssh-keys")
    visit("PUT", "/v2/account/ssh-keys", {"keys": []})
    for path, new, change in (
        ("/v2/templates", {"name": "tour", "image": "debian:12", "ports": ["22/tcp"]}, {"disk": 30}),
        ("/v2/network-volumes", {"name": "tour", "size": 10, "dataCenter": "EU-RO-1"}, {"size": 20}),
        ("/v2/registries", {"name": "tour", "username": "me", "password": "swordfish"}, None),
        ("/v2/account/secrets", {"name": "tour", "value": "swordfish"}, {"description": "a tour's"}),
    ):
        made = visit("POST", path, new, expect=201)
        visit("GET", path)
        visit("GET", f"{path}/{made['id']}")
        if change:
            visit("PATCH", f"{path}/{made['id']}", change)
        visit("DELETE", f"{path}/{made['id']}", expect=204)
    visit("POST", "/v2/global-volumes", {"name": "tour"}, expect=201)
    visit("GET", "/v2/global-volumes")
    visit.sim.call("PUT", "/_sim/billing", {"lag_s": 0})
    for family in ("", "/pods", "/network-volumes", "/serverless", "/endpoints", "/clusters"):
        visit("GET", f"/v2/billing{family}?bucketSize=hour&lastN=3")
        visit("GET", f"/v2/billing{family}?startTime=2026-01-01T00:00:00Z&bucketSize=month")


def be_refused(visit: Tourist) -> None:
    """Each status that the document names for what can be refused."""
    sim = visit.sim
    visit("POST", "/v2/pods", {"name": ""}, expect=422)
    visit("POST", "/v2/pods", sim.body(gpu={"id": "none such"}), expect=400)
    visit("POST", "/v2/pods", sim.body(templateId="none such"), expect=404)
    visit("GET", "/v2/pods?cursor=nonsense", expect=422)
    sim.fault(where="GET /v2/pods", what="rate-limited")
    visit("GET", "/v2/pods", expect=429)
    for path in ("pods", "templates", "network-volumes", "registries", "catalog/gpus"):
        visit("GET", f"/v2/{path}/none-such", expect=404)
    nameless = Sim(sim.url, "", sim.home, sim.pid)
    unknown = nameless.call("GET", "/v2/pods")
    assert unknown.status == 401
    visit.inspect("GET", "/v2/pods", unknown)


def shape(value: Any, path: str = "$") -> dict[str, str]:
    """The kind of everything in it, by path; rows of a list are taken together."""
    if isinstance(value, dict):
        return {p: kind for name, inner in value.items() for p, kind in shape(inner, f"{path}.{name}").items()}
    if isinstance(value, list):
        return {p: kind for inner in value for p, kind in shape(inner, path + "[]").items()}
    return {path: "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__}


def body_of_recording(sim: Sim) -> Json:
    """The create body of the recorded pod."""
    volume = sim.call("POST", "/v2/network-volumes", {"name": "models", "size": 50, "dataCenter": "EU-RO-1"}).body
    mounts = {"network": [{"volumeId": volume["id"], "path": "/workspace"}]}
    return sim.body(gpu={"id": "NVIDIA RTX PRO 4500 Blackwell", "count": 1}, disk=30, mounts=mounts)


def test_a_pod_looks_as_recorded(sim: Sim) -> None:
    recorded = read(RECORDED)
    sim.fault(what="running-at-once")
    pod = sim.call("POST", "/v2/pods", body_of_recording(sim)).body
    partial = recorded["v2_pod_just_created_partial"]
    assert shape({name: pod[name] for name in partial if name != "gpu"}) == shape(
        {name: value for name, value in partial.items() if name != "gpu"} | {"ssh": pod["ssh"]}
    )
    ready = sim.ready(pod)
    seen = {path: kind for path, kind in shape(ready).items() if path not in SEEN_SINCE}
    assert seen == shape(recorded["v2_pod_ready"])
    assert ready["actions"] == recorded["v2_pod_ready"]["actions"]
    assert ready["cost"] == recorded["v2_pod_ready"]["cost"]


def test_volumes_and_errors_are_as_recorded(sim: Sim) -> None:
    recorded = read(RECORDED)
    pod = sim.call("POST", "/v2/pods", body_of_recording(sim)).body
    volumes = sim.call("GET", "/v2/network-volumes").body
    assert shape(volumes["networkVolumes"]) == shape(recorded["v2_volumes"]["networkVolumes"])
    sim.fault(what="no-stock")
    assert sim.call("POST", "/v2/pods", sim.body()).body == recorded["v2_error_400"]
    assert sim.act(pod, "explode").body == recorded["v2_error_422"]


def test_the_older_api_shows_a_pod_as_recorded(sim: Sim) -> None:
    recorded = read(RECORDED)["graphql_pod"]
    pod = sim.call("POST", "/v2/pods", body_of_recording(sim)).body
    fields = "id name desiredStatus costPerHr gpuCount machine { gpuDisplayName dataCenterId }"
    query = f'query {{ pod(input: {{podId: "{pod["id"]}"}}) {{ {fields} }} }}'
    seen = sim.call("POST", "/graphql", {"query": query}).body["data"]["pod"]
    assert shape(seen) == shape(recorded)
    assert seen["machine"] == recorded["machine"]
