"""PATCH: what can be changed of a pod, and what that does to its container."""

from __future__ import annotations

from .conftest import Sim


def test_a_name_is_changed_under_a_running_container(sim: Sim) -> None:
    pod = sim.ready(sim.create())
    sim.ssh(pod, "touch /root/file")
    changed = sim.call("PATCH", f"/v2/pods/{pod['id']}", {"name": "other", "locked": True})
    assert (changed.status, changed.body["name"], changed.body["locked"]) == (200, "other", True)
    assert sim.ssh(pod, "ls /root/file").returncode == 0
    assert sim.act(pod, "stop").status == 409
    assert sim.act(pod, "restart").status == 409


def test_an_environment_is_replaced_with_the_container_and_the_volume_stays(sim: Sim) -> None:
    pod = sim.ready(sim.create(mounts={"persistent": {"size": 10, "path": "/workspace"}}))
    sim.ssh(pod, "touch /root/lost /workspace/kept")
    env = sim.body()["env"] | {"NEW": "1"}
    answer = sim.call("PATCH", f"/v2/pods/{pod['id']}", {"env": env, "disk": 30})
    assert (answer.body["env"], answer.body["disk"]) == (env, 30)
    sim.until(lambda: sim.ssh(pod, "true").returncode == 255)
    again = sim.ready(pod)
    seen = sim.ssh(again, "tr '\\0' '\\n' </proc/1/environ | grep ^NEW=; ls /root/lost /workspace/kept")
    assert seen.stdout == b"NEW=1\n/workspace/kept\n"


def test_the_newer_start_command_takes_the_place_of_the_older(sim: Sim) -> None:
    pod = sim.create(args="sleep 1")
    path = f"/v2/pods/{pod['id']}"
    newer = sim.call("PATCH", path, {"cmd": ["sleep", "2"]}).body
    assert (newer["args"], newer["cmd"]) == ("", ["sleep", "2"])
    older = sim.call("PATCH", path, {"args": "sleep 3"}).body
    assert (older["args"], "cmd" in older) == ("sleep 3", False)


def test_mounts_are_fixed_but_for_their_path(sim: Sim) -> None:
    ask = {"name": "v", "size": 10, "dataCenter": "EU-RO-1"}
    volume = sim.call("POST", "/v2/network-volumes", ask).body["id"]
    pod = sim.create(mounts={"network": [{"volumeId": volume, "path": "/workspace"}]})
    path = f"/v2/pods/{pod['id']}"
    for mounts, status in (
        ({"network": []}, 400),
        ({"network": [{"volumeId": "other", "path": "/workspace"}]}, 400),
        ({"network": [{"volumeId": volume}]}, 422),
        ({"persistent": {"size": 10, "path": "/workspace"}}, 400),
        ({"network": [{"volumeId": volume, "path": "relative"}]}, 400),
    ):
        assert sim.call("PATCH", path, {"mounts": mounts}).status == status, mounts
    moved = [{"volumeId": volume, "path": "/data"}]
    assert sim.call("PATCH", path, {"mounts": {"network": moved}}).body["mounts"] == {"network": moved}
    assert sim.call("PATCH", path, {"mounts": {}}).body["mounts"] == {"network": moved}


def test_a_change_that_makes_no_sense_changes_nothing(sim: Sim) -> None:
    pod = sim.create()
    path = f"/v2/pods/{pod['id']}"
    for change, status in (
        ({"colour": "red"}, 422),
        ({"name": ""}, 422),
        ({"name": "x", "ports": ["nonsense"]}, 422),
        ({"name": "x", "templateId": "unknown"}, 404),
        ({"name": "x", "registry": "unknown"}, 400),
    ):
        assert sim.call("PATCH", path, change).status == status, change
    assert sim.pod(pod)["name"] == "test"
    assert sim.call("PATCH", "/v2/pods/nobody", {"name": "x"}).status == 404
