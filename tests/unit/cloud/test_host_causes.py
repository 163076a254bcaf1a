"""What the host's log says about a container that does not start."""

from __future__ import annotations

import pytest

from runpod_deploy.cloud.host_causes import cause_in
from runpod_deploy.cloud.values import LogLine

PULLING = "1.0.2 Pulling from runpod/pytorch"
NOT_FOUND = "error pulling image: manifest for runpod/pytorch:nope not found: manifest unknown: manifest unknown"
DENIED = "pull access denied for me/private, repository does not exist or may require 'docker login': denied"
FULL = "failed to register layer: write /usr/lib/x.so: no space left on device"
CUDA = "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver"


def lines(*texts: str, source: str = "system") -> list[LogLine]:
    """A log of these lines."""
    return [LogLine(at=str(number), source=source, text=text) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "meaning", "permanent"),
    [
        (NOT_FOUND, "there is no such image", True),
        (DENIED, "the registry refuses our credentials for the image", True),
        ("Error response from daemon: unauthorized: authentication required", "the registry refuses our", True),
        ('exec: "/start.sh": executable file not found in $PATH', "the image cannot run its command", True),
        ("toomanyrequests: You have reached your unauthenticated pull rate limit", "the registry limits", False),
        (FULL, "the host's disk is full", False),
        (CUDA, "the host's driver is too old for the image's CUDA", False),
        ("Memory cgroup out of memory: Killed process 1", "the host has no memory left", False),
        ("error pulling image: failed to register layer: unexpected EOF", "the host cannot pull the image", False),
    ],
)
def test_each_cause_is_known(text: str, meaning: str, permanent: bool) -> None:
    cause = cause_in(lines(PULLING, text))
    assert cause is not None and str(cause).startswith(meaning)
    assert (cause.line, cause.kind.permanent) == (text, permanent)


def test_progress_after_an_error_overcomes_it_but_not_again_and_again() -> None:
    assert cause_in(lines(FULL, PULLING)) is None
    assert cause_in(lines(*(FULL, PULLING) * 3)) is not None
    assert cause_in(lines(*(FULL, PULLING) * 3, "Status: Downloaded newer image for x")) is None
    assert cause_in(lines(CUDA, "start container for x: begin")) is None
    assert cause_in(lines(*("start container for x: begin", CUDA) * 3)) is not None
    assert cause_in(lines(PULLING, "Status: Downloaded newer image for x", "start container for x: begin")) is None


def test_the_job_s_own_words_are_no_cause() -> None:
    assert cause_in(lines("CUDA out of memory", NOT_FOUND, source="container")) is None
