"""Each pod has a network of its own: its ports, its loopback, and no way out but to the simulator's API."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial

import pytest

from .conftest import Json, Sim

PORTS = ["22/tcp", "8000/tcp", "8001/http", "8002/tcp"]
# Servers that can be reached from outside, and one that only the pod itself can reach.
SERVERS = """
cd /root && echo $RUNPOD_POD_ID $RUNPOD_TCP_PORT_8000 >name
python3 -m http.server 8001 & python3 -m http.server 8002 --bind 127.0.0.1 & python3 -c '
import socket
while True:
    with socket.create_server(("", 22)) as own:
        own.accept()[0].send(b"SSH-2.0-own")
' & exec python3 -m http.server 8000
"""
USER = () if os.geteuid() == 0 else ("--user", "--map-root-user")


@pytest.fixture
def apart(sim: Sim) -> Sim:
    """A simulator whose pods have networks of their own."""
    if subprocess.run(["unshare", *USER, "--net", "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no network namespaces")
    return sim


def public(sim: Sim, pod: Json) -> dict[int, int]:
    """The machine's port that leads to each of the pod's, once there are any."""
    runtime = sim.until(lambda: sim.pod(pod)["runtime"])
    return {row["private"]: row["public"] for row in runtime["ports"] if f"{row['private']}/{row['type']}" in PORTS}


def fetched(port: int) -> str | None:
    """The text that a server on this machine answers; None while nothing answers."""
    try:
        return str(urllib.request.urlopen(f"http://127.0.0.1:{port}/name", timeout=5).read().decode()).strip()
    except (urllib.error.URLError, ConnectionError):
        return None


def test_pods_listen_on_the_same_ports_and_are_reached_by_their_own_public_ones(apart: Sim) -> None:
    pods = [apart.create(cmd=["sh", "-c", SERVERS], ports=PORTS, image="python:3.12") for _ in range(2)]
    ports = [public(apart, pod) for pod in pods]
    assert len({port for one in ports for port in one.values()}) == 8
    for pod, one in zip(pods, ports, strict=True):
        for number in (8000, 8001):
            assert apart.until(partial(fetched, one[number])) == f"{pod['id']} {one[8000]}"
        with socket.create_connection(("127.0.0.1", one[22]), timeout=5) as link:
            assert link.recv(100) == b"SSH-2.0-own"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", one[8002]), timeout=5)


def test_a_pod_reaches_the_api_and_nothing_else_of_the_machine(apart: Sim) -> None:
    pod = apart.ready(apart.create())
    with socket.create_server(("127.0.0.1", 0)) as other:
        command = (
            f": <>/dev/tcp/127.0.0.1/{other.getsockname()[1]} || echo none; : <>/dev/tcp/192.0.2.1/80 || echo none"
        )
        assert apart.ssh(pod, command).stdout == b"none\nnone\n"
    answer = apart.ssh(pod, f"curl -s -o /dev/null -w '%{{http_code}}' {apart.url}/v2/pods")
    assert answer.stdout == b"401"


def test_with_egress_pods_have_the_network_of_the_machine(serve: Callable[..., Sim]) -> None:
    sim = serve("--egress")
    pod = sim.ready(sim.create())
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(5)
        assert sim.ssh(pod, f"echo hi >/dev/tcp/127.0.0.1/{other.getsockname()[1]}").returncode == 0
        with other.accept()[0] as client:
            assert client.recv(10) == b"hi\n"
