"""The older API, as the clients that still use it speak it: arguments in the text, errors on HTTP 200."""

from __future__ import annotations

from typing import Any

from .conftest import Answer, Json, Sim


def post(sim: Sim, query: str, variables: Json | None = None, **headers: str | None) -> Answer:
    return sim.call("POST", "/graphql", {"query": query, "variables": variables}, **headers)


def data(sim: Sim, query: str, variables: Json | None = None) -> Any:
    answer = post(sim, query, variables)
    assert answer.status == 200, answer.body
    assert "errors" not in answer.body, answer.body
    return answer.body["data"]


def deploy(sim: Sim, more: str = "") -> Json:
    """A pod made as the official SDK makes one."""
    key = (sim.home / "key.pub").read_text().strip()
    query = f"""
    mutation {{
      podFindAndDeployOnDemand(
        input: {{
          name: "old", imageName: "runpod/base:1", cloudType: ALL, startSsh: true, gpuTypeId: "SIM 3600",
          supportPublicIp: true, gpuCount: 1, volumeInGb: 20, minVcpuCount: 1, minMemoryInGb: 1,
          dataCenterId: null, dockerArgs: "", containerDiskInGb: 10, ports: "22/tcp,8888/http",
          volumeMountPath: "/workspace", env: [{{ key: "PUBLIC_KEY", value: "{key}" }}] {more}
        }}
      ) {{ id imageName env machineId machine {{ podHostId }} desiredStatus lastStatusChange }}
    }}"""
    return dict(data(sim, query)["podFindAndDeployOnDemand"])


def test_a_pod_is_made_seen_stopped_resumed_and_ended(sim: Sim) -> None:
    pod = deploy(sim, "")
    assert pod["desiredStatus"] == "RUNNING"
    assert pod["lastStatusChange"].startswith("Rented by User: ")
    sim.ready(pod)
    runtime = "runtime { ports { ip isIpPublic privatePort publicPort type } }"
    [row] = data(sim, f"query myPods {{ myself {{ pods {{ id name ports volumeInGb {runtime} }} }} }}")["myself"][
        "pods"
    ]
    assert (row["id"], row["name"], row["ports"], row["volumeInGb"]) == (pod["id"], "old", "22/tcp,8888/http", 20)
    public = [port["privatePort"] for port in row["runtime"]["ports"] if port["isIpPublic"]]
    assert public == [22]
    arguments = f'input: {{podId: "{pod["id"]}"}}'
    assert (
        data(sim, f"mutation {{ podStop({arguments}) {{ id desiredStatus }} }}")["podStop"]["desiredStatus"] == "EXITED"
    )
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    resume = f'mutation {{ podResume(input: {{podId: "{pod["id"]}", gpuCount: 1}}) {{ desiredStatus }} }}'
    assert data(sim, resume) == {"podResume": {"desiredStatus": "RUNNING"}}
    assert data(sim, f"mutation {{ podTerminate({arguments}) }}") == {"podTerminate": None}
    assert data(sim, f"query {{ pod({arguments}) {{ id }} }}") == {"pod": None}


def test_variables_work_too(sim: Sim) -> None:
    pod = deploy(sim)
    query = "query Pod($input: PodFilter!) { pod(input: $input) { id costPerHr machine { gpuDisplayName } } }"
    shown = data(sim, query, {"input": {"podId": pod["id"]}})["pod"]
    assert shown == {"id": pod["id"], "costPerHr": 3600, "machine": {"gpuDisplayName": "SIM 3600"}}


def test_the_balance_is_here_only(sim: Sim) -> None:
    query = "query { myself { id clientBalance currentSpendPerHr spendLimit } }"
    before = data(sim, query)["myself"]
    deploy(sim)
    after = data(sim, query)["myself"]
    assert before["currentSpendPerHr"] == 0
    assert 3600 < after["currentSpendPerHr"] < 3601
    assert after["clientBalance"] < before["clientBalance"]


def test_kinds_and_their_stock(sim: Sim) -> None:
    price = "lowestPrice(input: {gpuCount: 1, secureCloud: true}) { stockStatus uninterruptablePrice }"
    [gpu] = data(sim, f'query {{ gpuTypes(input: {{id: "NVIDIA A40"}}) {{ id memoryInGb {price} }} }}')["gpuTypes"]
    assert gpu["memoryInGb"] == 48
    assert gpu["lowestPrice"] == {"stockStatus": "High", "uninterruptablePrice": 0.4}
    homes = data(sim, "query { dataCenters { id location gpuAvailability { gpuTypeId stockStatus } } }")["dataCenters"]
    romania = next(home for home in homes if home["id"] == "EU-RO-1")
    assert {"gpuTypeId": "NVIDIA A40", "stockStatus": "Medium"} in romania["gpuAvailability"]


def test_what_was_asked_wrongly_is_an_error_on_200(sim: Sim) -> None:
    sim.fault(what="no-stock")
    query = (
        """mutation { podFindAndDeployOnDemand(input: {gpuTypeId: "SIM 3600", imageName: "a:b", name: "n"}) { id } }"""
    )
    answer = post(sim, query)
    assert answer.status == 200
    [error] = answer.body["errors"]
    assert error["message"].startswith("There are no longer any instances available")
    assert (error["path"], error["extensions"]) == (["podFindAndDeployOnDemand"], {"code": "RUNPOD"})
    assert answer.body["data"] == {"podFindAndDeployOnDemand": None}


def test_what_is_no_query_of_this_schema_is_refused(sim: Sim) -> None:
    for query, text in (
        ("query { myself { shoeSize } }", 'Cannot query field "shoeSize" on type "User".'),
        ("query { gpuTypes { stockStatus } }", 'Cannot query field "stockStatus" on type "GpuType".'),
        ("query { __schema { types { name } } }", "GraphQL introspection has been disabled"),
        ("query {", "Syntax Error"),
        ('mutation { podFindAndDeployOnDemand(input: {stopAfter: "1h"}) { id } }', "DateTime cannot represent"),
    ):
        answer = post(sim, query)
        assert answer.status == 400, query
        assert text in answer.body["errors"][0]["message"]
    assert sim.call("POST", "/graphql", b"nothing").status == 400


def test_a_pods_key_reaches_its_own_pod_only(sim: Sim) -> None:
    pod, other = sim.ready(deploy(sim)), deploy(sim)
    key = sim.ssh(pod, "tr '\\0' '\\n' </proc/1/environ | sed -n s/^RUNPOD_API_KEY=//p").stdout.decode().strip()

    def own(query: str) -> Json:
        return dict(post(sim, query, Authorization=f"Bearer {key}").body)

    refused = own("query { myself { clientBalance } }")
    assert (refused["errors"][0]["message"], refused["data"]) == ("Unauthorized", {"myself": None})
    assert own(f'query {{ pod(input: {{podId: "{pod["id"]}"}}) {{ name }} }}') == {"data": {"pod": {"name": "old"}}}
    assert (
        own(f'mutation {{ podTerminate(input: {{podId: "{other["id"]}"}}) }}')["errors"][0]["message"] == "Unauthorized"
    )
    assert own(f'mutation {{ podTerminate(input: {{podId: "{pod["id"]}"}}) }}') == {"data": {"podTerminate": None}}
    assert sim.ledger_row(pod)["how"] == "self-deleted"
    assert sim.call("GET", f"/v2/pods/{other['id']}").status == 200


def test_the_key_may_be_in_the_address(sim: Sim) -> None:
    query = {"query": "query { myself { id } }"}
    assert sim.call("POST", "/graphql", query, Authorization=None).status == 401
    assert sim.call("POST", f"/graphql?api_key={sim.key}", query, Authorization=None).status == 200
    assert sim.call("GET", f"/v2/pods?api_key={sim.key}", Authorization=None).status == 401
