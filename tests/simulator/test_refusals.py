"""Every refusal that RunPod documents, one to one: a request, and the status and words of its answer.

The rows are in the order of the API's documentation. `{pod}`, `{stopped}`, `{locked}`, `{volume}`, `{registry}` and
`{serverless}` stand for the ids of things that exist; `{own_key}` for the key in the first pod's environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from .conftest import Answer, Json, Sim, serving

HOME, OTHER = "EU-RO-1", "US-TX-3"
CAPACITY = (
    "There are no longer any instances available with the requested specifications. Please refresh and try again."
)
UNTIMED = "Request validation failed."
PODS, VOLUMES, SECRETS = "/v2/pods", "/v2/network-volumes", "/v2/account/secrets"
KEY_OF_POD = {"Authorization": "Bearer {own_key}"}


class Refusal(NamedTuple):
    """One request, and its answer."""

    about: str
    status: int
    words: str
    """They are in the answer's body."""
    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str | None] | None = None


def pod(about: str, status: int, words: str, **changes: Any) -> Refusal:
    """A create call that differs in these fields from one that is accepted; with "-" a field is missing."""
    return Refusal(about, status, words, "POST", PODS, changes)


def graph(about: str, words: str, query: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Refusal:
    """A query of the older API."""
    return Refusal(about, status, words, "POST", "/graphql", {"query": query}, headers)


def network(*mounts: Json) -> Json:
    """Mounts of network volumes."""
    return {"network": list(mounts)}


DISK: Json = {"size": 10, "path": "/workspace"}
VOLUME: Json = {"volumeId": "{volume}", "path": "/workspace"}
TRANSPORT = [
    Refusal("no User-Agent", 403, "error code: 1010", "GET", PODS, None, {"User-Agent": ""}),
    Refusal("a generic User-Agent", 403, "error code: 1010", "GET", PODS, None, {"User-Agent": "Python-urllib/3.12"}),
    Refusal("no key", 401, "missing bearer token", "GET", PODS, None, {"Authorization": None}),
    Refusal(
        "a key in the query only",
        401,
        "missing bearer token",
        "GET",
        f"{PODS}?api_key=x",
        None,
        {"Authorization": None},
    ),
    Refusal("a key of another scheme", 401, "bearer token", "GET", PODS, None, {"Authorization": "Basic eA=="}),
    Refusal("a wrong key", 401, "bearer token", "GET", PODS, None, {"Authorization": "Bearer rpa_WRONG"}),
    Refusal(
        "a large body, before the key", 413, "must not exceed", "POST", PODS, b" " * 102_401, {"Authorization": None}
    ),
    Refusal("no JSON", 422, "", "POST", PODS, b"{"),
    Refusal("an array", 422, UNTIMED, "POST", PODS, b"[]"),
    Refusal(
        "a repeated array",
        422,
        "is not exploded, but is specified multiple times",
        "GET",
        "/v2/catalog/datacenters?include=GPU_AVAILABILITY&include=CPU_AVAILABILITY",
    ),
    Refusal("a wrong method", 405, "method is not allowed for this path", "PUT", PODS),
    Refusal("an unknown path", 404, "The requested path was not found.", "GET", "/v2/machines"),
    Refusal("a bad cursor", 422, UNTIMED, "GET", f"{PODS}?cursor=nonsense"),
    Refusal("a limit of none", 422, UNTIMED, "GET", f"{PODS}?limit=0"),
    Refusal("a limit above 1000", 422, UNTIMED, "GET", f"{PODS}?limit=1001"),
]
CREATE = [
    pod("an unknown field", 422, "additional properties", colour="red"),
    *(
        pod(f"{name}, which v2 lacks", 422, name, **{name: value})
        for name, value in {
            "interruptible": True,
            "stopAfter": "2026-12-01T00:00:00Z",
            "terminateAfter": "2026-12-01T00:00:00Z",
            "gpuTypeIds": ["NVIDIA A40"],
            "countryCodes": ["RO"],
            "supportPublicIp": True,
            "locked": True,
            "imageName": "x",
            "cloudType": "SECURE",
            "containerDiskInGb": 10,
        }.items()
    ),
    pod("no name", 422, "name", name="-"),
    pod("an empty name", 422, "$.name", name=""),
    pod("no image and no template", 422, "image", image="-"),
    pod("no disk", 400, "disk", disk="-"),
    pod("a disk of 0", 422, "$.disk", disk=0),
    pod("too many variables", 400, "50", env={f"V{n}": "" for n in range(51)}),
    pod("a variable that is no text", 422, "$.env", env={"A": 1}),
    pod("a port without a protocol", 422, "$.ports", ports=["22"]),
    pod("an unknown cloud", 422, "$.cloud", cloud="ALL"),
    pod("GPU and CPU", 400, "", cpu={"id": "cpu3c", "vcpuCount": 2}),
    pod("neither GPU nor CPU", 400, "", gpu="-"),
    pod("three vCPUs", 400, "vcpuCount", gpu="-", cpu={"id": "cpu3c", "vcpuCount": 3}),
    pod("one vCPU", 422, "vcpuCount", gpu="-", cpu={"id": "cpu3c", "vcpuCount": 1}),
    pod("an unknown GPU", 400, "", gpu={"id": "NVIDIA 9090", "count": 1}),
    pod("no GPUs", 422, "$.gpu.count", gpu={"id": "SIM 3600", "count": 0}),
    pod("more GPUs than a machine has", 400, CAPACITY, gpu={"id": "SIM 3600", "count": 99}),
    pod("a CUDA version that is none", 422, "minCudaVersion", gpu={"id": "SIM 3600", "minCudaVersion": "12"}),
    pod(
        "two rules for CUDA", 400, "", gpu={"id": "SIM 3600", "minCudaVersion": "12.4", "allowedCudaVersions": ["12.8"]}
    ),
    pod("RAM of 0", 422, "minRamPerGpu", gpu={"id": "SIM 3600", "minRamPerGpu": 0}),
    pod("more RAM than a GPU comes with", 400, CAPACITY, gpu={"id": "SIM 3600", "minRamPerGpu": 100_000}),
    pod("more vCPUs than a GPU comes with", 400, CAPACITY, gpu={"id": "SIM 3600", "minVcpuCountPerGpu": 1000}),
    pod("an unknown datacenter", 400, "", dataCenterIds=["XX-YY-1"]),
    pod("two kinds of mounts", 400, "", mounts=network(VOLUME) | {"persistent": DISK}),
    pod("two network volumes", 422, "mounts", mounts=network(VOLUME, VOLUME)),
    pod("a small volume", 422, "size", mounts={"persistent": DISK | {"size": 9}}),
    pod("a mount without a path", 422, "path", mounts={"persistent": {"size": 10}}),
    pod("a volume on a CPU pod", 400, "", gpu="-", cpu={"id": "cpu3c", "vcpuCount": 2}, mounts={"persistent": DISK}),
    pod("an unknown network volume", 404, "", mounts=network({"volumeId": "none", "path": "/workspace"})),
    pod(
        "a network volume elsewhere",
        400,
        f'is in data center "{HOME}", which is not in the requested set [{OTHER}]',
        mounts=network(VOLUME),
        dataCenterIds=[OTHER],
    ),
    pod("a network volume on Community", 400, "", mounts=network(VOLUME), cloud="COMMUNITY"),
    pod("an unknown template", 404, "", templateId="none"),
    pod("a serverless template", 422, "", templateId="{serverless}"),
    pod("an unknown registry", 400, "", registry="none"),
    pod("a global network without a datacenter that has it", 400, "", globalNetworking=True, dataCenterIds=["OC-AU-1"]),
    pod("a GPU of Community on Secure", 400, CAPACITY, gpu={"id": "NVIDIA GeForce RTX 3070", "count": 1}),
]
ACTIONS = [
    Refusal(
        "an unknown action",
        422,
        "value must be one of 'start', 'stop', 'restart', 'terminate'",
        "POST",
        "/v2/pods/{pod}/action",
        {"action": "explode"},
    ),
    Refusal("no action", 422, UNTIMED, "POST", "/v2/pods/{pod}/action", {}),
    Refusal("a start of a running pod", 409, "cannot start", "POST", "/v2/pods/{pod}/action", {"action": "start"}),
    Refusal("a stop of a stopped pod", 409, "cannot stop", "POST", "/v2/pods/{stopped}/action", {"action": "stop"}),
    Refusal(
        "a restart of a stopped pod", 409, "cannot restart", "POST", "/v2/pods/{stopped}/action", {"action": "restart"}
    ),
    Refusal("a stop of a locked pod", 409, "locked", "POST", "/v2/pods/{locked}/action", {"action": "stop"}),
    Refusal("a restart of a locked pod", 409, "locked", "POST", "/v2/pods/{locked}/action", {"action": "restart"}),
    Refusal("an action on an unknown pod", 404, "pod not found", "POST", "/v2/pods/none/action", {"action": "stop"}),
    Refusal("an unknown pod", 404, "pod not found", "GET", "/v2/pods/none"),
    Refusal("a deletion of an unknown pod", 404, "pod not found", "DELETE", "/v2/pods/none"),
    Refusal("a change of an unknown pod", 404, "pod not found", "PATCH", "/v2/pods/none", {"name": "x"}),
    Refusal("an unknown field of a change", 422, "additional properties", "PATCH", "/v2/pods/{pod}", {"colour": "red"}),
    Refusal("another GPU", 422, "gpu", "PATCH", "/v2/pods/{pod}", {"gpu": {"id": "NVIDIA A40"}}),
    Refusal("no mounts any more", 400, "", "PATCH", "/v2/pods/{pod}", {"mounts": {"network": []}}),
    Refusal("another kind of mount", 400, "", "PATCH", "/v2/pods/{pod}", {"mounts": {"persistent": DISK}}),
    Refusal("a part of a mount", 422, UNTIMED, "PATCH", "/v2/pods/{pod}", {"mounts": {"network": [{"path": "/x"}]}}),
    Refusal("a log of an unknown source", 422, "source", "GET", "/v2/pods/{pod}/logs?source=kernel"),
    Refusal("a log that is too long", 422, "tail", "GET", "/v2/pods/{pod}/logs?tail=5001"),
    Refusal("a log since a time that is none", 422, "since", "GET", "/v2/pods/{pod}/logs?since=yesterday"),
    Refusal("the pod's key asks for all pods", 403, "access denied", "GET", PODS, None, KEY_OF_POD),
    Refusal("the pod's key asks for another pod", 403, "access denied", "GET", "/v2/pods/{stopped}", None, KEY_OF_POD),
    Refusal("the pod's key ends another pod", 403, "access denied", "DELETE", "/v2/pods/{stopped}", None, KEY_OF_POD),
    Refusal("the pod's key makes a pod", 403, "access denied", "POST", PODS, {}, KEY_OF_POD),
    Refusal("the pod's key reads secrets", 403, "access denied", "GET", SECRETS, None, KEY_OF_POD),
]
CATALOGUE = [
    Refusal("stock without a product", 400, "", "GET", "/v2/catalog/gpus?include=AVAILABILITY"),
    Refusal("a product without stock", 400, "", "GET", "/v2/catalog/gpus?product=POD"),
    Refusal(
        "two rules for CUDA",
        400,
        "",
        "GET",
        "/v2/catalog/gpus?include=AVAILABILITY&product=POD&cudaVersions=12.8&minCudaVersion=12.4",
    ),
    Refusal("an unknown GPU", 404, "not found", "GET", "/v2/catalog/gpus/none"),
    Refusal("an unknown CPU", 404, "not found", "GET", "/v2/catalog/cpus/none"),
    Refusal("an unknown datacenter", 404, "not found", "GET", "/v2/catalog/datacenters/none"),
    Refusal("an unknown kind of template", 422, "source", "GET", "/v2/catalog/templates?source=mine"),
    Refusal("a bill by an unknown time", 422, "bucketSize", "GET", "/v2/billing/pods?bucketSize=minute"),
    Refusal(
        "a bill of two times",
        400,
        "mutually exclusive",
        "GET",
        "/v2/billing/pods?lastN=2&startTime=2026-01-01T00:00:00Z",
    ),
]
RESOURCES = [
    Refusal("a small network volume", 422, "size", "POST", VOLUMES, {"name": "v", "size": 9, "dataCenter": HOME}),
    Refusal("a large network volume", 422, "size", "POST", VOLUMES, {"name": "v", "size": 4097, "dataCenter": HOME}),
    Refusal(
        "a network volume where there are none",
        400,
        HOME,
        "POST",
        VOLUMES,
        {"name": "v", "size": 10, "dataCenter": "US-GA-1"},
    ),
    Refusal(
        "a datacenter in lower case", 400, "", "POST", VOLUMES, {"name": "v", "size": 10, "dataCenter": HOME.lower()}
    ),
    Refusal("a volume that shrinks", 400, "", "PATCH", VOLUMES + "/{volume}", {"size": 10}),
    Refusal("a change of nothing", 422, "", "PATCH", VOLUMES + "/{volume}", {}),
    Refusal("an unknown network volume", 404, "not found", "DELETE", f"{VOLUMES}/none"),
    Refusal("a template without an image", 422, "image", "POST", "/v2/templates", {"name": "t"}),
    Refusal("an unknown template", 404, "not found", "GET", "/v2/templates/none"),
    Refusal("an unknown registry", 400, "Registry auth not found", "DELETE", "/v2/registries/none"),
    Refusal("a registry in use", 400, "", "DELETE", "/v2/registries/{registry}"),
    Refusal("a registry without a password", 422, "password", "POST", "/v2/registries", {"name": "r", "username": "u"}),
    Refusal("a key that is none", 422, "$.keys", "PUT", "/v2/account/ssh-keys", {"keys": ["nonsense"]}),
    Refusal("a secret's name that is none", 422, "name", "POST", SECRETS, {"name": "1st", "value": "v"}),
    Refusal("a secret's name of RunPod", 422, "name", "POST", SECRETS, {"name": "RUNPOD_X", "value": "v"}),
    Refusal("a long name of a secret", 422, "name", "POST", SECRETS, {"name": "x" * 192, "value": "v"}),
    Refusal("a secret's name that is taken", 409, "already exists", "POST", SECRETS, {"name": "taken", "value": "v"}),
    Refusal("an unknown secret", 404, "not found", "GET", f"{SECRETS}/none"),
]
NEW_POD = (
    'mutation { podFindAndDeployOnDemand(input: {gpuTypeId: "SIM 3600", gpuCount: %s, imageName: "x", %s}) { id } }'
)
GRAPHQL = [
    graph("no capacity", CAPACITY, NEW_POD % (99, 'name: "n"')),
    graph("an unknown field", "Cannot query field", "{ myself { colour } }", 400),
    graph("introspection", "introspection", "{ __schema { types { name } } }", 400),
    graph("stock outside of lowestPrice", "stockStatus", "{ gpuTypes { stockStatus } }", 400),
    graph("a template by its id", "id", 'mutation { deleteTemplate(id: "x") }', 400),
    graph("a duration as a time", "DateTime cannot represent", NEW_POD % (1, 'stopAfter: "1h"'), 400),
    graph("the pod's key asks for the account", "Unauthorized", "{ myself { id } }", headers=KEY_OF_POD),
    graph("a wrong key", "", "{ myself { id } }", 401, {"Authorization": "Bearer rpa_WRONG"}),
]
ROWS = [*TRANSPORT, *CREATE, *ACTIONS, *CATALOGUE, *RESOURCES, *GRAPHQL]


@pytest.fixture(scope="module")
def stage(home: Any) -> Iterator[tuple[Sim, dict[str, str]]]:
    """A simulator with a thing of each kind, and the ids of these."""
    with serving(home) as sim:
        names = {"volume": sim.call("POST", VOLUMES, {"name": "v", "size": 20, "dataCenter": HOME}).body["id"]}
        registry = {"name": "r", "username": "u", "password": "p"}
        names["registry"] = sim.call("POST", "/v2/registries", registry).body["id"]
        names["serverless"] = sim.call("POST", "/v2/templates", {"name": "s", "image": "x", "serverless": True}).body[
            "id"
        ]
        assert sim.call("POST", SECRETS, {"name": "taken", "value": "v"}).status == 201
        mounts = {"network": [{"volumeId": names["volume"], "path": "/workspace"}]}
        running = sim.create(mounts=mounts, registry=names["registry"])
        locked, stopped = sim.create(), sim.create()
        sim.call("PATCH", f"{PODS}/{locked['id']}", {"locked": True})
        ready = sim.ready(running)
        names["own_key"] = (
            sim.ssh(ready, "tr '\\0' '\\n' </proc/1/environ | sed -n s/^RUNPOD_API_KEY=//p").stdout.decode().strip()
        )
        sim.act(stopped, "stop")
        sim.until(lambda: sim.pod(stopped)["status"] == "EXITED" and sim.pod(locked)["status"] == "RUNNING")
        yield sim, names | {"pod": running["id"], "locked": locked["id"], "stopped": stopped["id"]}


def filled(value: Any, names: dict[str, str]) -> Any:
    """The value with the ids in it."""
    text = json.dumps(value)
    for name, found in names.items():
        text = text.replace("{" + name + "}", found)
    return json.loads(text)


def answer_to(row: Refusal, sim: Sim, names: dict[str, str]) -> Answer:
    """The answer to the row's request."""
    body: Any = row.body if isinstance(row.body, bytes) or row.body is None else filled(row.body, names)
    if row in CREATE:
        body = {name: value for name, value in sim.body(**body).items() if value != "-"}
    return sim.call(row.method, filled(row.path, names), body, **filled(dict(row.headers or {}), names))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.about)
def test_it_is_refused_as_documented(stage: tuple[Sim, dict[str, str]], row: Refusal) -> None:
    sim, names = stage
    before = len(sim.call("GET", "/_sim/pods").body["pods"])
    answer = answer_to(row, sim, names)
    text = answer.body.decode() if isinstance(answer.body, bytes) else json.dumps(answer.body).replace('\\"', '"')
    assert (answer.status, row.words in text) == (row.status, True), (answer.status, text)
    if row.method != "POST" or row.path != "/graphql":
        kind = "text/plain" if "1010" in row.words else "application/problem+json"
        assert answer.headers["Content-Type"].split(";")[0] == kind
    assert len(sim.call("GET", "/_sim/pods").body["pods"]) == before


def test_a_create_call_without_changes_is_accepted(stage: tuple[Sim, dict[str, str]]) -> None:
    sim, _ = stage
    assert sim.call("DELETE", f"{PODS}/{sim.create()['id']}").status == 204
