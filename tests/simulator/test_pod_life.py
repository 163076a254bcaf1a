"""A simulated pod does what a real one does, from its creation to its end."""

from __future__ import annotations

from .conftest import Sim


def test_a_pod_boots_answers_over_ssh_and_is_deleted(sim: Sim) -> None:
    created = sim.create()
    assert created["status"] == "PROVISIONING"
    assert created["runtime"] is None
    pod = sim.ready(created)
    assert pod["status"] == "RUNNING"
    done = sim.ssh(pod, "cat; tr '\\0' '\\n' </proc/1/environ | grep ^RUNPOD_POD_ID; exit 3", input=b"in\n")
    assert done.returncode == 3
    assert done.stdout == f"in\nRUNPOD_POD_ID={pod['id']}\n".encode()
    assert sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 204
    assert sim.call("GET", f"/v2/pods/{pod['id']}").status == 404
    assert sim.ssh(pod, "true").returncode == 255
    ledger = sim.call("GET", "/_sim/ledger").body
    assert ledger["pods_created"] == len(ledger["pods"])
    assert ledger["pods_left"] == 0
    assert sim.ledger_row(pod)["how"] == "deleted"
    assert ledger["billed_usd"] > 0.1


def test_nothing_of_the_machines_users_is_in_a_pod(sim: Sim) -> None:
    pod = sim.ready(sim.create())
    assert sim.ssh(pod, "ls /home; touch /usr/bin/mine /etc/mine && echo ok").stdout == b"ok\n"
    assert sim.ssh(pod, "ls -A /root").stdout.split() == [b".bashrc", b".profile", b".ssh"]
    assert sim.ssh(pod, "test -e " + str(sim.home)).returncode == 1


def test_a_container_that_exits_is_started_again(sim: Sim) -> None:
    pod = sim.ready(sim.create())
    sim.ssh(pod, "echo kept > /root/file; sleep 1000 >/dev/null 2>&1 &")
    assert sim.call("POST", f"/_sim/pods/{pod['id']}/kill-container").status == 200
    sim.until(lambda: sim.ssh(pod, "true").returncode == 255)
    pod = sim.ready(pod)
    assert sim.ssh(pod, "cat /root/file; pgrep -x sleep | wc -l").stdout == b"kept\n1\n"


def test_stopped_and_started_a_pod_has_a_new_port_and_its_volume(sim: Sim) -> None:
    pod = sim.ready(sim.create(mounts={"persistent": {"size": 20, "path": "/workspace"}}))
    sim.ssh(pod, "echo kept > /workspace/file; echo lost > /root/file")
    assert sim.act(pod, "stop").status == 200
    stopped = sim.until(lambda: (now := sim.pod(pod))["status"] == "EXITED" and now)
    assert stopped["cost"] == 0.0
    assert stopped["ssh"]["direct"] is None
    assert sim.act(pod, "stop").status == 409
    assert sim.act(pod, "start").status == 200
    again = sim.ready(pod)
    assert again["ssh"]["direct"]["port"] != pod["ssh"]["direct"]["port"]
    assert sim.ssh(again, "cat /workspace/file; ls /root/file").stdout == b"kept\n"


def test_a_pod_ends_itself_with_its_own_key_and_can_do_no_more_with_it(sim: Sim) -> None:
    pod, other = sim.ready(sim.create()), sim.create(name="other")
    lines = sim.ssh(pod, "cat /proc/1/environ").stdout.split(b"\0")
    key = dict(line.decode().split("=", 1) for line in lines if line)["RUNPOD_API_KEY"]
    bearer = f"Bearer {key}"
    assert sim.call("GET", f"/v2/pods/{pod['id']}", Authorization=bearer).status == 200
    assert sim.call("GET", f"/v2/pods/{other['id']}", Authorization=bearer).status == 403
    assert sim.call("GET", "/v2/pods", Authorization=bearer).status == 403
    action = {"action": "terminate"}
    assert sim.call("POST", f"/v2/pods/{pod['id']}/action", action, Authorization=bearer).status == 204
    assert sim.call("GET", f"/v2/pods/{pod['id']}").status == 404
    assert sim.ledger_row(pod)["how"] == "self-deleted"


def test_bytes_arrive_whole_in_both_directions(sim: Sim) -> None:
    pod = sim.ready(sim.create())
    data = bytes(range(256)) * 40_000
    assert sim.ssh(pod, "cat", input=data).stdout == data


def test_the_api_and_nvidia_smi_agree_about_the_gpus(sim: Sim) -> None:
    pod = sim.ready(sim.create(gpu={"id": "SIM 3600", "count": 2}))

    def told() -> list[tuple[int, int]]:
        return [(gpu["util"], gpu["memoryUtil"]) for gpu in sim.pod(pod)["runtime"]["gpus"]]

    query = "nvidia-smi --query-gpu=utilization.gpu,utilization.memory --format=csv,noheader,nounits"
    before, seen, after = told(), sim.ssh(pod, query).stdout.decode().splitlines(), told()
    assert [tuple(map(int, line.split(", "))) for line in seen] in (before, after)
    fields = "runtime { gpus { id gpuUtilPercent } }"
    asked = f'query {{ pod(input: {{podId: "{pod["id"]}"}}) {{ {fields} }} }}'
    rows = sim.call("POST", "/graphql", {"query": asked}).body["data"]["pod"]["runtime"]["gpus"]
    listed = sim.ssh(pod, "nvidia-smi -L").stdout.decode()
    assert all(f"(UUID: {row['id']})" in listed for row in rows)
