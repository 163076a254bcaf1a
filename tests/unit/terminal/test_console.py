"""What is said to a person of events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runpod_deploy.record import events as e
from runpod_deploy.record.fold import apply
from runpod_deploy.record.state import State
from runpod_deploy.terminal.console import words
from tests.unit.terminal.pictures import START, told, watching


def said(event: e.Event, state: State, after_s: float = 1800.0) -> str | None:
    """The words for the event, as the console says them."""
    happened = type(event)(**{**vars(event), "ts_utc": START + timedelta(seconds=after_s)})
    return words(happened, apply(state, happened))


@pytest.mark.parametrize(
    ("action", "status", "ending"),
    [
        ("delete", None, "released (delete): gone"),
        ("preserve", "RUNNING", "released (preserve): RUNNING; it goes on costing $1.09/hr until it is ended"),
    ],
)
def test_a_release_says_what_goes_on_costing(action: str, status: str | None, ending: str) -> None:
    line = said(e.PodReleased(action=action, state=status), watching())
    assert line == f"pod k3v9x1q7 {ending}"


def test_a_run_without_a_pod_releases_none() -> None:
    state = told((0, e.RunStarted(run_id="r", job_name="demo", tool_version="1")))
    assert said(e.PodReleased(action="delete", state=None), state) == "no pod is left"


def test_an_instant_of_another_day_says_so() -> None:
    armed = e.GuardArmed(deadline_at=START + timedelta(hours=13))
    assert "ends itself at Nov 02 01:00:00 UTC" in str(said(armed, watching()))
    armed = e.GuardArmed(deadline_at=START + timedelta(hours=1))
    assert "ends itself at 13:00:00 UTC" in str(said(armed, watching()))


def test_one_file_is_one_file() -> None:
    pulled = e.ArtifactPullCompleted(label="out", duration_sec=1, files=1, bytes=9, bytes_transferred=9, sha256="")
    assert said(pulled, watching()) == "pulled out: 1 file, 9 B in 1.0 s"
