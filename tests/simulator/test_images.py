"""Images that could not work do not: a pod has what its image brings, and answers only if that starts an sshd."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from runpod_sim.records.images import PROGRAMS, said

from .conftest import OFFICIAL, Sim, tool

EARLY = "runpod/pytorch:2.1.0-py3.10-cuda11.8.0-devel-ubuntu22.04"
PRESENT = "command -v sh ls python3 rsync; dpkg-query -W -f '${db:Status-Status}' rsync 2>/dev/null; true"


@pytest.mark.parametrize(
    ("name", "has"),
    [
        (OFFICIAL, set(PROGRAMS)),
        ("docker.io/runpod/base", set(PROGRAMS)),
        (EARLY, {"sshd", "python", "curl", "wget", "git"}),
        ("ubuntu:24.04", set()),
        ("library/ubuntu", set()),
        ("ubuntu-of/mine", set()),
        ("python:3.12-slim", {"python"}),
        ("python:3.12", {"python", "curl", "wget", "git"}),
        ("python:slim@sha256:00", {"python"}),
        ("registry.example:5000/team/train:7", {"sshd", "rsync"}),
        ("registry.example:5000/team/train:bare", set()),
    ],
)
def test_what_an_image_brings(name: str, has: set[str]) -> None:
    told = ("registry.example:5000/team/train=has:sshd,rsync", "registry.example:5000/team/train:bare=has:")
    assert said(told).find(name).has == has


def test_a_program_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    argv = tool("exec", "--image", "acme/train=has:sshd,cobol", "--", "true")
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 2
    assert "cobol: unknown; write NAME=has:A,B with any of sshd, python, rsync" in done.stderr


def test_a_pod_has_the_programs_of_its_image(serve: Callable[..., Sim]) -> None:
    sim = serve("--image", "acme/train=has:sshd,rsync")
    seen = {}
    for image in (OFFICIAL, EARLY, "acme/train:7"):
        pod = sim.ready(sim.create(image=image))
        seen[image] = {line.rpartition("/")[2] for line in sim.ssh(pod, PRESENT).stdout.decode().split()}
    own = seen[OFFICIAL]
    assert {"sh", "ls", "python3"} <= own
    assert seen[EARLY] == own - {"rsync", "installed"}
    assert seen["acme/train:7"] == own - {"python3"}


def test_what_a_pod_installs_stays_when_its_container_starts_again(sim: Sim) -> None:
    pod = sim.ready(sim.create(image=EARLY))
    made = sim.ssh(pod, "cp /bin/echo /usr/bin/rsync && rsync hi")
    if made.returncode:
        pytest.skip(f"this user may not change the pod's programs: {made.stderr!r}")
    assert sim.call("POST", f"/_sim/pods/{pod['id']}/kill-container").status == 200
    sim.until(lambda: sim.ssh(pod, "true").returncode == 255)
    assert sim.ssh(sim.ready(pod), "rsync hi").stdout == b"hi\n"


def test_an_image_without_an_sshd_never_answers_and_one_whose_command_ends_is_started_again(sim: Sim) -> None:
    silent, ending = sim.create(image="acme/train"), sim.create(image="ubuntu:24.04")
    started = "start container for ubuntu:24.04: begin"
    sim.until(lambda: [line["line"] for line in sim.logs(ending)].count(started) > 1)
    assert sim.pod(ending)["status"] == "RUNNING"
    assert sim.ssh(sim.pod(silent), "true").returncode == 255


def test_a_command_that_starts_the_images_sshd_is_answered(sim: Sim) -> None:
    start = ["sh", "-c", 'mkdir -p ~/.ssh; echo "$PUBLIC_KEY" >~/.ssh/authorized_keys; exec sshd -D']
    assert sim.ssh(sim.ready(sim.create(cmd=start)), "echo hi").stdout == b"hi\n"
