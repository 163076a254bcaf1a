"""Marks are found whatever way the bytes of the log arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.machine.limits import JOB_ROW_BYTES
from runpod_deploy.record import log_markers
from runpod_deploy.record.events import (
    Event,
    FailureMarkerSeen,
    JobEvent,
    RemoteStepCompleted,
    RemoteStepStarted,
    from_row,
    to_row,
)
from runpod_deploy.record.log_markers import LogScanner
from runpod_deploy.spec import RunSpec

JOB = RunSpec(script_path="/r", log_path="/l", body="x", success_marker="ALL DONE")
LOG = (
    b"__RUNPOD_STEP_START__train__\nepoch 1\repoch 2\r\n"
    b'__RUNPOD_EVENT__ {"event": "eval_done", "f1": 0.9}\n'
    b"Traceback (most recent call last):\nTraceback again\n"
    b"\xff\xfe binary \x00 garbage\n__RUNPOD_STEP_DONE__train__\nALL DONE"
)


def scan(*chunks: bytes) -> list[Event]:
    scanner = LogScanner(JOB)
    found = [event for chunk in chunks for event in scanner.feed(chunk)]
    return found + list(scanner.finish())


def test_each_mark_once_and_in_order() -> None:
    names = [type(event).__name__ for event in scan(LOG)]
    assert names == ["RemoteStepStarted", "JobEvent", "FailureMarkerSeen", "RemoteStepCompleted", "SuccessMarkerSeen"]


@given(cuts=st.lists(st.integers(0, len(LOG)), max_size=8))
def test_split_writes_change_nothing(cuts: list[int]) -> None:
    ends = sorted({0, len(LOG), *cuts})
    assert scan(*(LOG[a:b] for a, b in pairwise(ends))) == scan(LOG)


@given(text=st.binary(max_size=300))
def test_any_bytes_are_scanned(text: bytes) -> None:
    scan(text, text)


def test_offsets_are_the_ends_of_lines() -> None:
    for event in scan(LOG):
        offset = event.fields["log_offset"] if isinstance(event, JobEvent) else event.log_offset  # type: ignore[attr-defined]
        assert offset == len(LOG) or LOG[offset - 1 : offset] in (b"\n", b"\r")


def test_a_row_of_the_job_is_json_for_everybody_or_none_at_all() -> None:
    (row,) = scan(b'__RUNPOD_EVENT__ {"event": "step", "loss": NaN, "best": [-Infinity, 1e999]}\n')
    assert isinstance(row, JobEvent) and row.fields["loss"] is None and row.fields["best"] == [None, None]
    for deep in (b"[" * 50_000, b'{"event": "x", "a": ' + b"[" * 900 + b"]" * 900 + b"}", b'{"event": 5}', b"{"):
        assert scan(b"__RUNPOD_EVENT__ " + deep + b"\n") == []


def test_a_job_cannot_speak_for_the_run() -> None:
    stolen = b'"ts_utc": "1999", "pod_id": "p", "gpu_id": 0, "datacenter_id": "d", "source": "us", "log_offset": -1'
    (row,) = scan(b'__RUNPOD_EVENT__ {"event": "pod_killed_unexpected", ' + stolen + b"}\n")
    assert isinstance(row, JobEvent) and row.name == "job:pod_killed_unexpected"
    written = to_row(row)
    assert written["event"] == row.name and written["source"] == "job" and written["ts_utc"] == row.ts_utc.isoformat()
    assert not {"pod_id", "gpu_id", "datacenter_id"} & set(written) and written["log_offset"] > 0
    assert (written["job_pod_id"], written["job_gpu_id"], written["job_ts_utc"]) == ("p", 0, "1999")
    assert from_row(written) == row


def test_too_many_or_too_large_rows_stay_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_markers, "JOB_ROWS", 3)
    found = scan(b'__RUNPOD_EVENT__ {"event": "x"}\n' * 2 + b"__RUNPOD_STEP_START__s__\n" * 1000 + b"ALL DONE\n")
    assert [type(event).__name__ for event in found] == [
        *("JobEvent", "JobEvent", "RemoteStepStarted", "JobRowsLimited", "SuccessMarkerSeen"),
    ]
    assert scan(b'__RUNPOD_EVENT__ {"event": "x", "a": "' + b"x" * JOB_ROW_BYTES + b'"}\n') == []
    assert scan(b"__RUNPOD_STEP_START__" + b"x" * 10_000 + b"__\n") == []


def test_glued_step_markers_are_two() -> None:
    found = scan(b"__RUNPOD_STEP_DONE__a____RUNPOD_STEP_START__b__\n")
    assert [(type(e), e.name) for e in found if isinstance(e, RemoteStepStarted | RemoteStepCompleted)] == [
        (RemoteStepCompleted, "a"),
        (RemoteStepStarted, "b"),
    ]


def test_default_markers_are_noted_and_configured_ones_count() -> None:
    noted = next(event for event in scan(LOG) if isinstance(event, FailureMarkerSeen))
    assert not noted.configured
    job = RunSpec(script_path="/r", log_path="/l", body="x", failure_markers=("BOOM",))
    found = list(LogScanner(job).feed(b"Traceback\nBOOM\n"))
    assert [(e.marker, e.configured) for e in found if isinstance(e, FailureMarkerSeen)] == [("BOOM", True)]


def test_no_failure_markers_at_all_is_fine() -> None:
    job = RunSpec(script_path="/r", log_path="/l", body="x", failure_markers=())
    assert list(LogScanner(job).feed(b"Traceback\n")) == []


def test_a_line_that_never_ends_is_not_kept_for_ever() -> None:
    scanner = LogScanner(JOB)
    for _ in range(40):
        list(scanner.feed(b"x" * 100_000))
    assert len(scanner._rest) <= 2 * (1 << 20)
