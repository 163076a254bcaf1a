"""The stream of a pod's log, and the stage of the boot that it shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.cloud.runpod.boot import FIRST_LOOK_S, LONGEST_PAUSE_S, BootStages
from runpod_deploy.cloud.runpod.logs import MAX_LINES, event_data, log_lines
from runpod_deploy.cloud.values import Address, LogLine, Pod
from runpod_deploy.errors import CloudUnreachable
from tests.support.fakes.api import Api, Reply, problem
from tests.support.fakes.clock import FakeClock


def event(at: int, line: str, source: str = "system") -> bytes:
    ts = f"2026-10-02T05:28:{at:02d}.366Z"
    return f"id: {ts}\ndata: {json.dumps({'ts': ts, 'source': source, 'line': line})}\n\n".encode()


STREAM = event(2, "second") + event(1, "first", "container") + b": keep-alive\n\nid: 3\ndata: {broken\n\n"


@given(st.integers(0, len(STREAM)))
def test_only_whole_events_count_wherever_the_stream_breaks_off(length: int) -> None:
    whole = [("container", "first"), ("system", "second")]
    found = [(line.source, line.text) for line in log_lines(STREAM[:length])]
    assert found == whole if length == len(STREAM) else all(line in whole for line in found)


def test_the_log_is_read_until_it_is_quiet(api: Api, cloud: RunPodCloud) -> None:
    # The body is shorter than announced: the connection stays open and silent, as the live stream does.
    api.replies(Reply(200, STREAM, headers={"Content-Type": "text/event-stream"}, stays_open_s=5.0))
    assert [line.text for line in cloud.logs("pod", 20, 0.3)] == ["first", "second"]
    assert api.received[0].path == "/v2/pods/pod/logs?tail=20"


def test_a_log_without_a_line_is_empty_and_no_hang(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, b"", after_s=1.5))
    assert cloud.logs("pod", 20, 0.2) == []


def test_a_log_that_is_refused_says_why(api: Api, cloud: RunPodCloud) -> None:
    api.replies(problem(503, "upstream"))
    with pytest.raises(CloudUnreachable, match="upstream"):
        cloud.logs("pod", 20, 0.2)


class Log:
    """A host's log that a test writes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.asked = 0
        self.broken = False

    def read(self, pod_id: str, tail: int, quiet_s: float) -> list[LogLine]:
        self.asked += 1
        if self.broken:
            raise CloudUnreachable("no log")
        return [LogLine(at=str(number), source="system", text=line) for number, line in enumerate(self.lines)]


def booting(status: str, *, uptime_s: int | None = None, address: Address | None = None) -> Pod:
    return Pod(
        id="pod",
        name="run-1",
        status=status,
        usd_per_hour=0.5,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
        datacenter_id=None if status == "PROVISIONING" else "EU-RO-1",
        uptime_s=uptime_s,
        address=address,
    )


def test_a_boot_goes_through_its_stages() -> None:
    clock, log = FakeClock(), Log()
    watch = BootStages(clock, log.read)
    assert watch.stage(booting("PROVISIONING")) == "placing"
    assert watch.stage(booting("STARTING")) == "image_pull"
    assert log.asked == 0
    clock.advance(FIRST_LOOK_S)
    log.lines = ["create container runpod/pytorch:1", "1.0.2 Pulling from runpod/pytorch"]
    assert watch.stage(booting("STARTING")) == "image_pull"
    clock.advance(LONGEST_PAUSE_S)
    log.lines.append("start container for runpod/pytorch:1: begin")
    assert watch.stage(booting("RUNNING")) == "starting"
    assert watch.stage(booting("RUNNING", uptime_s=2)) == "starting"
    assert watch.stage(booting("RUNNING", uptime_s=9, address=Address(host="h", port=1))) == "sshd"


def test_the_log_is_read_soon_and_then_rarely() -> None:
    clock, log = FakeClock(), Log()
    watch = BootStages(clock, log.read)
    asked = []
    for _ in range(900):
        before = log.asked
        watch.stage(booting("RUNNING"))
        if log.asked > before:
            asked.append(clock.monotonic())
        clock.advance(1.0)
    assert asked[:5] == [5, 15, 35, 75, 155] and asked[-1] - asked[-2] == LONGEST_PAUSE_S


def test_the_last_words_of_the_host_are_kept_when_its_log_cannot_be_read() -> None:
    clock, log = FakeClock(), Log()
    watch = BootStages(clock, log.read)
    log.lines = ["no space left on device"]
    assert [line.text for line in watch.read("pod")] == log.lines
    log.broken = True
    assert [line.text for line in watch.read("pod")] == log.lines
    assert watch.lines("another pod") == []


def test_a_boot_without_a_log_has_the_stage_of_its_status() -> None:
    clock, log = FakeClock(), Log()
    log.broken = True
    watch = BootStages(clock, log.read)
    for _ in range(3):
        assert watch.stage(booting("RUNNING")) == "image_pull"
        clock.advance(FIRST_LOOK_S)
    assert log.asked == 1


@pytest.mark.parametrize("block", [b"\n", b"data:\n\n", b"data: {}\n\n", b": keep-alive\n\n"])
def test_a_log_of_millions_of_empty_events_is_soon_read(block: bytes) -> None:
    """As many calls of a JSON parser as events would take a minute; there are at most as many as lines may come."""
    stream = block * ((8 << 20) // len(block))
    assert len(list(event_data(stream))) <= 2 * MAX_LINES
    assert log_lines(stream) == []
