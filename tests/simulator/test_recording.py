"""Traffic is recorded without what identifies an account, and played back; the simulator is held against recordings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runpod_sim.recording.redaction import Redaction
from runpod_sim.recording.tape import Exchange, read

from .conftest import Json, Sim, tool
from .document import RECORDED
from .document import read as published

STORY = """
import json, os, urllib.request
base, key = os.environ["RUNPOD_API_BASE_URL"], os.environ["RUNPOD_API_KEY"]
def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + key, "User-Agent": "story/1", "Content-Type": "application/json"}
    try:
        return json.load(urllib.request.urlopen(urllib.request.Request(base + path, data, headers, method=method)))
    except urllib.error.HTTPError as error:
        return error.code
pod = call("POST", "/v2/pods", json.loads(os.environ["BODY"]))
while not (shown := call("GET", "/v2/pods/" + pod["id"]))["ssh"]["direct"]:
    pass
rows = call("GET", "/v2/pods")["pods"]
refused = call("POST", "/v2/pods/" + pod["id"] + "/action", {"action": "explode"})
query = 'query { pod(input: {podId: "%s"}) { id env } }' % pod["id"]
old = call("POST", "/graphql", {"query": query})["data"]["pod"]
print(json.dumps([pod["id"], shown["id"], old["id"], rows[0]["name"], shown["status"], refused]))
"""
BODY: Json = {
    "name": "mine", "image": "runpod/base:1", "gpu": {"id": "SIM 3600"}, "disk": 10, "ports": ["22/tcp"],
    "env": {"PUBLIC_KEY": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@home", "PASSWORD": "swordfish"},
}  # fmt: skip


def told(argv: list[str], **env: str) -> list[Any]:
    """What the story printed."""
    done = subprocess.run(argv, capture_output=True, text=True, env=os.environ | env)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_what_is_recorded_says_the_same_without_saying_whose_it_is(sim: Sim, tmp_path: Path) -> None:
    file, env = tmp_path / "tape.json", {"RUNPOD_API_KEY": sim.key, "BODY": json.dumps(BODY)}
    script = [sys.executable, "-c", STORY]
    lived = told([*tool("record", "--output", str(file), "--upstream", sim.url, "--"), *script], **env)
    text = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    for secret in (sim.key, lived[0], "AAAAC3", "swordfish", "me@home"):
        assert secret not in text
    with subprocess.Popen(tool("replay", str(file)), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().removeprefix("export ").strip() for _ in range(4)]
        played = told(script, BODY=json.dumps(BODY), **dict(line.split("=", 1) for line in lines))
        process.terminate()
    assert played[0] == played[1] == played[2] != lived[0]
    assert played[3:] == lived[3:] == ["mine", "RUNNING", 422]


def recorded() -> list[Exchange]:
    """Answers of the live service as a recording would have them."""
    whole = published(RECORDED)
    pod = whole["v2_pod_ready"]
    path = f"/v2/pods/{pod['id']}"
    return [
        Exchange(method="GET", path=path, headers={}, body=pod),
        Exchange(method="GET", path="/v2/network-volumes", headers={}, body=whole["v2_volumes"]),
        Exchange(method="POST", path=path + "/action", headers={}, status=422, body=whole["v2_error_422"]),
    ]


def test_a_recording_of_the_live_service_names_nobody() -> None:
    before = recorded()
    after = Redaction().of_all(recorded())
    text = json.dumps([exchange.body for exchange in after])
    for own in ("5xpma5eg46tqjq", "grvtso8ftn", "213.173.104.74", "100.65.14.155"):
        assert own in json.dumps([exchange.body for exchange in before])
        assert own not in text
    pod, volumes = after[0].body, after[1].body["networkVolumes"]
    assert pod["mounts"]["network"][0]["volumeId"] == volumes[0]["id"]
    assert pod["ssh"]["direct"]["host"] == pod["runtime"]["ports"][0]["ip"]
    assert pod["gpu"]["id"] == before[0].body["gpu"]["id"]
    assert after[0].path == f"/v2/pods/{pod['id']}"
    assert len(pod["id"]) == 14
    assert after[2].body == before[2].body


def test_other_files_are_refused_with_a_word(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}")
    with pytest.raises(OSError, match="is no recording"):
        read(tmp_path / "file")
    done = subprocess.run(tool("replay", str(tmp_path / "none")), capture_output=True, text=True)
    assert (done.returncode, "No such file" in done.stderr) == (1, True)
