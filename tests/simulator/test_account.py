"""The account: SSH keys, secrets, credentials, templates, bills, and a balance of zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import pytest

from .conftest import Json, Sim

TERSE = {"image": "debian:12", "gpu": {"id": "SIM 3600"}, "disk": 10}


def environment(sim: Sim, pod: Json) -> dict[str, str]:
    lines = sim.ssh(pod, "cat /proc/1/environ").stdout.decode().split("\0")
    return dict(line.split("=", 1) for line in lines if line)


def test_ssh_keys_are_replaced_as_a_whole_and_injected_on_request(sim: Sim) -> None:
    key = (sim.home / "key.pub").read_text().strip()
    assert sim.call("PUT", "/v2/account/ssh-keys", {"keys": ["nonsense"]}).status == 422
    assert sim.call("PUT", "/v2/account/ssh-keys", {"keys": [key]}).body == {"keys": [key]}
    assert sim.call("GET", "/v2/account/ssh-keys").body == {"keys": [key]}
    assert sim.create(env={}, startSsh=True)["env"] == {"PUBLIC_KEY": key}
    assert sim.create(env={})["env"] == {}
    assert sim.call("PUT", "/v2/account/ssh-keys", {"keys": []}).body == {"keys": []}


def test_a_secret_is_never_answered_and_is_filled_in_at_boot(sim: Sim) -> None:
    made = sim.call("POST", "/v2/account/secrets", {"name": "hf_token", "value": "swordfish"})
    assert made.status == 201
    assert set(made.body) == {"id", "name", "description", "createdAt"}
    assert sim.call("POST", "/v2/account/secrets", {"name": "hf_token", "value": "other"}).status == 409
    assert sim.call("POST", "/v2/account/secrets", {"name": "RUNPOD_X", "value": "v"}).status == 422
    [listed] = sim.call("GET", "/v2/account/secrets?name=HF_TOKEN").body["secrets"]
    assert listed == made.body
    placeholders = {"TOKEN": "{{ RUNPOD_SECRET_hf_token }}", "OTHER": "{{ RUNPOD_SECRET_unknown }}"}
    pod = sim.create(env=sim.body()["env"] | placeholders)
    assert pod["env"]["TOKEN"] == placeholders["TOKEN"]
    env = environment(sim, sim.ready(pod))
    assert (env["TOKEN"], env["OTHER"]) == ("swordfish", placeholders["OTHER"])
    path = f"/v2/account/secrets/{made.body['id']}"
    assert sim.call("PATCH", path, {"description": "of mine"}).body["description"] == "of mine"
    assert sim.call("DELETE", path).status == 204
    assert sim.call("GET", path).status == 404


def test_a_credential_is_write_only_and_stays_while_a_pod_uses_it(sim: Sim) -> None:
    ask = {"name": "docker", "username": "me", "password": "swordfish"}
    made = sim.call("POST", "/v2/registries", ask).body
    assert set(made) == {"id", "name"}
    assert made in sim.call("GET", "/v2/registries").body["registries"]
    path = f"/v2/registries/{made['id']}"
    pod = sim.create(registry=made["id"])
    assert sim.call("DELETE", path).status == 400
    sim.call("DELETE", f"/v2/pods/{pod['id']}")
    assert sim.call("DELETE", path).status == 204
    gone = sim.call("DELETE", path)
    assert (gone.status, gone.body["detail"]) == (400, "Registry auth not found")
    assert sim.call("POST", "/v2/pods", sim.body(registry=made["id"])).status == 400


def test_a_template_lies_under_the_body(sim: Sim) -> None:
    ask = {"name": "base", "image": "debian:12", "disk": 30, "ports": ["22/tcp"], "env": {"A": "1", "B": "1"}} | {
        "startJupyter": False
    }
    template = sim.call("POST", "/v2/templates", ask).body
    body = {"name": "t", "templateId": template["id"], "gpu": {"id": "SIM 3600"}, "env": {"B": "2"}}
    pod = sim.call("POST", "/v2/pods", body).body
    assert (pod["image"], pod["disk"], pod["ports"], pod["template"]) == ("debian:12", 30, ["22/tcp"], None)
    assert pod["env"] == {"A": "1", "B": "2"}
    path = f"/v2/templates/{template['id']}"
    assert sim.call("PATCH", path, {"disk": 40}).body["disk"] == 40
    assert sim.call("POST", "/v2/templates", ask).status == 400
    assert sim.call("DELETE", path).status == 204
    assert sim.call("POST", "/v2/pods", body).status == 404
    serverless = sim.call("POST", "/v2/templates", ask | {"serverless": True}).body
    assert sim.call("POST", "/v2/pods", body | {"templateId": serverless["id"]}).status == 422
    sim.call("DELETE", f"/v2/templates/{serverless['id']}")
    official = sim.call("GET", "/v2/catalog/templates").body["templates"]
    assert sim.call("POST", "/v2/pods", body | {"templateId": official[0]["id"]}).status == 201


def test_lists_have_pages_newest_first(sim: Sim) -> None:
    ids = [sim.create(name=f"p{number}", **TERSE)["id"] for number in range(3)]
    first = sim.call("GET", "/v2/pods?limit=2").body
    assert [pod["id"] for pod in first["pods"]] == [ids[2], ids[1]]
    assert first["pagination"]["hasNextPage"] is True
    second = sim.call("GET", f"/v2/pods?limit=2&cursor={first['pagination']['nextCursor']}").body
    assert [pod["id"] for pod in second["pods"]] == [ids[0]]
    assert second["pagination"] == {"nextCursor": None, "hasNextPage": False}
    assert ids[1] not in first["pagination"]["nextCursor"]
    for query in ("?cursor=nonsense", "?limit=0", "?limit=1001"):
        assert sim.call("GET", "/v2/pods" + query).status == 422


def test_a_page_goes_on_where_it_was_though_its_last_row_is_gone(sim: Sim) -> None:
    ids = [sim.create(name=f"p{number}", **TERSE)["id"] for number in range(3)]
    first = sim.call("GET", "/v2/pods?limit=2").body
    sim.call("DELETE", f"/v2/pods/{ids[1]}")
    second = sim.call("GET", f"/v2/pods?limit=2&cursor={first['pagination']['nextCursor']}").body
    assert [pod["id"] for pod in second["pods"]] == [ids[0]]


@pytest.mark.parametrize("size", ["hour", "day", "week", "month", "year"])
def test_bills_lag_until_the_lag_is_set_to_zero(sim: Sim, size: str) -> None:
    pod = sim.ready(sim.create())
    path = f"/v2/billing/pods?bucketSize={size}&lastN=2&podId={pod['id']}"
    sim.call("PUT", "/_sim/billing", {"lag_s": 3600})
    assert sim.call("GET", path).body["records"] == []
    sim.call("PUT", "/_sim/billing", {"lag_s": 0})
    sim.call("DELETE", f"/v2/pods/{pod['id']}")
    bill = sim.call("GET", path).body
    spent = sum(row["gpuAmount"] for row in bill["records"])
    assert 0.1 < spent < 60
    assert {row["podId"] for row in bill["records"]} == {pod["id"]}
    assert math.isclose(bill["metadata"]["totals"]["gpuAmount"], spent)
    assert bill["metadata"]["query"]["podId"] == pod["id"]
    account = sim.call("GET", f"/v2/billing?bucketSize={size}&lastN=2").body
    assert account["metadata"]["totals"]["podGpuAmount"] >= spent


def test_bills_add_up_to_the_digit(sim: Sim) -> None:
    sim.call("PUT", "/_sim/billing", {"lag_s": 0})
    sim.call("POST", "/v2/network-volumes", {"name": "v", "size": 11, "dataCenter": "EU-RO-1"})
    for gpu in ("SIM 3600", "NVIDIA A40", "NVIDIA RTX PRO 4500 Blackwell"):
        pod = sim.create(gpu={"id": gpu}, disk=33, mounts={"persistent": {"size": 17, "path": "/w"}})
        sim.ready(pod)
        sim.call("DELETE", f"/v2/pods/{pod['id']}")

    def bill(family: str, size: str) -> Json:
        return dict(sim.call("GET", f"/v2/billing{family}?bucketSize={size}&lastN=2").body)

    totals = [bill("/pods", size)["metadata"]["totals"] for size in ("hour", "day", "month")]
    assert totals[0] == totals[1] == totals[2]
    records = bill("/pods", "hour")["records"]
    assert records
    for row in records:
        parts = [Decimal(str(row[name])) for name in ("gpuAmount", "cpuAmount", "diskAmount")]
        assert Decimal(str(row["totalAmount"])) == sum(parts)
    assert Decimal(str(totals[0]["totalAmount"])) == sum(Decimal(str(row["totalAmount"])) for row in records)
    assert bill("", "day")["metadata"]["totals"]["podGpuAmount"] == totals[0]["gpuAmount"]


def test_bills_lag_by_the_option_of_the_command(serve: Callable[..., Sim]) -> None:
    sim = serve("--billing-lag", "0")
    pod = sim.create()
    sim.call("DELETE", f"/v2/pods/{pod['id']}")
    records = sim.call("GET", "/v2/billing/pods?bucketSize=hour&lastN=2").body["records"]
    assert {row["podId"] for row in records} == {pod["id"]}


def test_without_an_hours_credit_no_pod_is_rented(serve: Callable[..., Sim]) -> None:
    sim = serve("--balance", "3599")
    refused = sim.call("POST", "/v2/pods", sim.body())
    assert refused.status == 402
    assert refused.body["detail"].startswith("Your account balance is too low")
    assert sim.create(gpu={"id": "NVIDIA A40"})


def test_at_zero_a_pod_on_a_network_volume_is_stopped_and_another_is_ended(serve: Callable[..., Sim]) -> None:
    sim = serve("--balance", "8000")
    ask = {"name": "v", "size": 10, "dataCenter": "EU-RO-1"}
    volume = sim.call("POST", "/v2/network-volumes", ask).body
    kept = sim.create(mounts={"network": [{"volumeId": volume["id"], "path": "/workspace"}]})
    lost = sim.create()
    sim.call("PUT", "/_sim/balance", {"usd": 0.5})
    sim.until(lambda: sim.pod(kept)["status"] == "EXITED")
    sim.until(lambda: sim.call("GET", f"/v2/pods/{lost['id']}").status == 404)
    assert [sim.ledger_row(pod)["how"] for pod in (kept, lost)] == ["balance", "balance"]
    assert sim.act(kept, "start").status == 402
