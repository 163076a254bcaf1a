"""Each fault of pods has the effect that its help text describes, on the pods that match."""

from __future__ import annotations

import socket
import subprocess
import time

import pytest

from .conftest import Json, Sim


def greeting(pod: Json, within_s: float = 2.0) -> bytes:
    """The first bytes from the pod's SSH port; none if it stays silent. Raises ConnectionError."""
    with socket.create_connection(("127.0.0.1", pod["ssh"]["direct"]["port"]), within_s) as link:
        link.settimeout(within_s)
        try:
            return link.recv(64)
        except TimeoutError:
            return b""


def first_greeting(pod: Json, within_s: float = 2.0) -> bytes:
    """The first bytes from the pod's SSH port, once anything listens there."""
    while True:
        try:
            return greeting(pod, within_s)
        except ConnectionRefusedError:
            time.sleep(0.02)


def mapped(sim: Sim, pod: Json) -> Json:
    """The pod, once its port is mapped."""
    return dict(sim.until(lambda: (now := sim.pod(pod))["ssh"]["direct"] and now))


def system_log(sim: Sim, pod: Json) -> str:
    return "\n".join(line["line"] for line in sim.logs(pod, "?source=system"))


def test_lag_hides_a_new_pod(sim: Sim) -> None:
    sim.fault(what="lag", seconds=1.5)
    pod = sim.create()
    assert sim.call("GET", f"/v2/pods/{pod['id']}").status == 404
    assert sim.call("GET", "/v2/pods").body["pods"] == []
    sim.until(lambda: sim.call("GET", f"/v2/pods/{pod['id']}").status == 200)
    assert len(sim.call("GET", "/v2/pods").body["pods"]) == 1


@pytest.mark.parametrize("status", ["PROVISIONING", "STARTING", "RUNNING"])
def test_never_running_stays_in_that_status(sim: Sim, status: str) -> None:
    sim.fault(what="never-running", status=status)
    pod = sim.create()
    sim.until(lambda: sim.pod(pod)["status"] == status)
    time.sleep(0.4)
    stuck = sim.pod(pod)
    assert (stuck["status"], stuck["runtime"], stuck["ssh"]["direct"]) == (status, None, None)
    assert stuck["cost"] == 3600


def test_slow_boot_takes_longer_and_arrives(sim: Sim) -> None:
    sim.fault(what="slow-boot", seconds=1.5)
    pod = sim.create()
    time.sleep(0.3)
    assert sim.pod(pod)["status"] == "PROVISIONING"
    assert sim.ready(pod)["status"] == "RUNNING"


def test_image_pull_fails_and_only_the_system_log_says_so(sim: Sim) -> None:
    sim.fault(what="image-pull-fails")
    pod = sim.create()
    sim.until(lambda: "error pulling image" in system_log(sim, pod))
    assert sim.pod(pod)["status"] == "STARTING"


def test_crash_loop_says_the_same_line_again_and_again(sim: Sim) -> None:
    sim.fault(what="crash-loop")
    pod = sim.create()
    sim.until(lambda: system_log(sim, pod).count("nvidia-container-cli: requirement error") >= 2)
    looping = sim.pod(pod)
    assert (looping["status"], looping["runtime"]) == ("RUNNING", None)


def test_boot_error_ends_in_error(sim: Sim) -> None:
    sim.fault(what="boot-error")
    pod = sim.create()
    sim.until(lambda: sim.pod(pod)["status"] == "ERROR")
    assert sim.pod(pod)["actions"] == ["start", "terminate"]


def test_sshd_never_maps_a_port_where_nobody_listens(sim: Sim) -> None:
    sim.fault(what="sshd-never")
    pod = mapped(sim, sim.create())
    time.sleep(0.2)
    with pytest.raises(ConnectionRefusedError):
        greeting(pod)


def test_ssh_refused_closes_the_first_connections(sim: Sim) -> None:
    sim.fault(what="ssh-refused", connections=2)
    pod = mapped(sim, sim.create())
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            first_greeting(pod)
    assert first_greeting(pod).startswith(b"SSH-2.0-")


def test_ssh_hangs_keeps_the_first_connection_silent(sim: Sim) -> None:
    sim.fault(what="ssh-hangs")
    pod = mapped(sim, sim.create())
    assert first_greeting(pod, 0.3) == b""
    assert first_greeting(pod).startswith(b"SSH-2.0-")


def test_ssh_key_refused_lets_nobody_in_for_a_while(sim: Sim) -> None:
    sim.fault(what="ssh-key-refused", connections=1)
    pod = mapped(sim, sim.create())
    sim.until(lambda: b"Permission denied" in sim.ssh(pod, "true").stderr)
    assert sim.ssh(pod, "true").returncode == 0


def test_ssh_drops_cuts_a_transfer_in_the_middle(sim: Sim) -> None:
    sim.fault(what="ssh-drops", after_bytes=200_000)
    pod = sim.ready(sim.create())
    cut = sim.ssh(pod, "head -c 1000000 /dev/zero")
    assert cut.returncode == 255
    assert len(cut.stdout) < 1_000_000
    assert len(sim.ssh(pod, "head -c 1000000 /dev/zero").stdout) == 1_000_000


def test_other_host_key_is_shown_after_the_first_connection(sim: Sim) -> None:
    sim.fault(what="other-host-key", connections=1)
    pod = mapped(sim, sim.create())
    first, second, third = (sim.until(lambda: _host_key(pod)) for _ in range(3))
    assert first != second
    assert second == third


def _host_key(pod: Json) -> bytes:
    port = str(pod["ssh"]["direct"]["port"])
    scan = subprocess.run(["ssh-keyscan", "-T", "2", "-t", "ed25519", "-p", port, "127.0.0.1"], capture_output=True)
    return scan.stdout.partition(b"ssh-ed25519 ")[2].strip()


@pytest.mark.parametrize("fate", ["gone", "exited"])
def test_pod_dies_a_while_after_its_boot(sim: Sim, fate: str) -> None:
    sim.fault(what="pod-dies", after_s=0.3, **{"as": fate})
    pod = sim.create()
    if fate == "gone":
        sim.until(lambda: sim.call("GET", f"/v2/pods/{pod['id']}").status == 404)
    else:
        sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    assert sim.ledger_row(pod)["how"] == "died"


def test_container_exits_once_and_is_started_again(sim: Sim) -> None:
    sim.fault(what="container-exits", after_s=0.3)
    pod = sim.create()
    sim.until(lambda: "container exited, restarting" in system_log(sim, pod))
    assert sim.ready(pod)["status"] == "RUNNING"
    assert system_log(sim, pod).count("container exited") == 1


def test_delete_lags_lists_a_pod_that_has_ended(sim: Sim) -> None:
    sim.fault(what="delete-lags", seconds=2)
    pod = sim.ready(sim.create())
    assert sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 204
    assert sim.pod(pod)["status"] == "RUNNING"
    assert sim.ssh(pod, "true").returncode == 255
    sim.until(lambda: sim.call("GET", f"/v2/pods/{pod['id']}").status == 404)
    assert sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 404


def test_key_revoked_refuses_the_pods_own_key(sim: Sim) -> None:
    sim.fault(what="key-revoked")
    pod = sim.ready(sim.create())
    key = sim.ssh(pod, "tr '\\0' '\\n' </proc/1/environ | sed -n s/^RUNPOD_API_KEY=//p").stdout.decode().strip()
    assert sim.call("GET", f"/v2/pods/{pod['id']}", Authorization=f"Bearer {key}").status == 401


def test_stale_address_shows_a_resumed_pod_where_it_was(sim: Sim) -> None:
    sim.fault(what="stale-address", seconds=3600)
    pod = sim.ready(sim.create())
    former = pod["ssh"]["direct"]["port"]
    sim.act(pod, "stop")
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    sim.act(pod, "start")
    stale = mapped(sim, pod)
    assert stale["ssh"]["direct"]["port"] == former
    assert sim.ssh(stale, "true").returncode == 255


def test_running_at_once_says_so_before_there_is_a_runtime(sim: Sim) -> None:
    sim.fault(what="running-at-once")
    pod = sim.create()
    assert (pod["status"], pod["runtime"], pod["ssh"]["direct"]) == ("RUNNING", None, None)
    assert pod["actions"] == ["stop", "restart", "terminate"]
    assert sim.ready(pod)["runtime"]["uptime"] >= 0


def test_a_fault_of_pods_applies_to_those_that_match_its_conditions(sim: Sim) -> None:
    sim.fault(what="boot-error", times=0, gpu="NVIDIA A40")
    broken, other = sim.create(gpu={"id": "NVIDIA A40"}), sim.create()
    sim.until(lambda: sim.pod(broken)["status"] == "ERROR")
    assert sim.ready(other)["status"] == "RUNNING"
