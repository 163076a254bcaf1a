"""A pod's logs are a stream that begins late, never ends and can be resumed."""

from __future__ import annotations

import socket
import struct
import subprocess
from pathlib import Path

import pytest
import urllib3

from .conftest import Json, Sim, tool

TALK = "for n in 1 2 3; do echo line $n; done; exec sleep 1000"


def talking(sim: Sim) -> Json:
    """A pod that has said three lines."""
    pod = sim.create(image="debian:12", cmd=["sh", "-c", TALK])
    sim.until(lambda: len(sim.logs(pod, "?source=container")) == 3)
    return pod


def texts(lines: list[Json]) -> list[str]:
    return [line["line"] for line in lines]


def test_both_sources_come_in_order_and_the_pull_is_plain_text(sim: Sim) -> None:
    lines = sim.logs(talking(sim))
    assert texts(lines) == [
        "create pod network",
        "create container debian:12",
        "12 Pulling from debian",
        texts(lines)[3],
        "Status: Downloaded newer image for debian:12",
        "start container for debian:12: begin",
        *("line 1", "line 2", "line 3"),
    ]
    assert texts(lines)[3].startswith("Digest: sha256:")
    assert [line["source"] for line in lines] == ["system"] * 6 + ["container"] * 3
    stamps = [line["ts"] for line in lines]
    assert stamps == sorted(set(stamps))


def test_tail_counts_for_each_source(sim: Sim) -> None:
    pod = talking(sim)
    assert texts(sim.logs(pod, "?tail=1")) == ["start container for debian:12: begin", "line 3"]
    assert texts(sim.logs(pod, "?tail=2&source=container")) == ["line 2", "line 3"]


def test_since_includes_its_instant_and_a_resumed_stream_does_not(sim: Sim) -> None:
    pod = talking(sim)
    second = sim.logs(pod, "?source=container")[1]
    query = f"?source=container&tail=1&since={second['ts']}"
    assert texts(sim.logs(pod, query)) == ["line 2", "line 3"]
    assert texts(sim.logs(pod, query, Last_Event_ID=second["ts"])) == ["line 3"]


def test_not_even_headers_come_before_the_first_line(sim: Sim) -> None:
    pod = talking(sim)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        sim.http.request(
            "GET",
            f"{sim.url}/v2/pods/{pod['id']}/logs?tail=0",
            headers={"User-Agent": "tests/1", "Authorization": f"Bearer {sim.key}"},
            preload_content=False,
            timeout=0.4,
        )


def test_a_stopped_pod_still_has_its_logs(sim: Sim) -> None:
    pod = talking(sim)
    sim.act(pod, "stop")
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    assert texts(sim.logs(pod, "?source=container")) == ["line 1", "line 2", "line 3"]


def test_what_cannot_be_streamed_is_a_problem(sim: Sim) -> None:
    pod = sim.create()
    path = f"/v2/pods/{pod['id']}/logs"
    for query in ("?source=kernel", "?tail=5001", "?tail=-1", "?since=yesterday"):
        assert sim.call("GET", path + query).status == 422
    assert sim.call("GET", "/v2/pods/nobody/logs").status == 404


def test_a_reader_that_goes_away_leaves_no_traceback(home: Path, tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w+") as errors:
        with subprocess.Popen(tool("serve"), stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(5)]
            exports = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
            sim = Sim(exports["RUNPOD_API_BASE_URL"], exports["RUNPOD_API_KEY"], home, process.pid)
            pod = sim.create(cmd=["sh", "-c", "while :; do echo word; done"])
            sim.until(lambda: sim.pod(pod)["runtime"])
            for _ in range(5):
                link = socket.create_connection(("127.0.0.1", int(sim.url.rpartition(":")[2])))
                head = f"GET /v2/pods/{pod['id']}/logs HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUser-Agent: t\r\n"
                link.sendall(f"{head}Authorization: Bearer {sim.key}\r\n\r\n".encode())
                link.recv(100)
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                link.close()
            sim.until(lambda: sim.call("DELETE", f"/v2/pods/{pod['id']}").status == 204)
            process.terminate()
        errors.seek(0)
        assert "Traceback" not in errors.read()
