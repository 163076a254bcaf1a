"""The account's rate limit, which all processes keep together."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.cloud.runpod import pace as pace_module
from runpod_deploy.cloud.runpod.pace import Pace, Window, gap_s, parse_window
from runpod_deploy.errors import CloudUnreachable
from tests.support.fakes.clock import FakeClock


class Meter:
    """An API that counts requests in windows of a minute."""

    def __init__(self, clock: FakeClock, quota: int) -> None:
        self.clock, self.quota = clock, quota
        self.sent, self.window = 0, 0
        self.refused = 0

    def request(self) -> dict[str, str]:
        """The headers of the answer."""
        window, into_s = divmod(self.clock.monotonic(), 60)
        if window != self.window:
            self.window, self.sent = int(window), 0
        self.sent += 1
        self.refused += self.sent > self.quota
        left, resets_s = max(0, self.quota - self.sent), math.ceil(60 - into_s)
        return {
            "ratelimit": f'"minute";r={left};t={resets_s}, "hour";r=2998;t=3511',
            "ratelimit-policy": f'"minute";q={self.quota};w=60, "hour";q=3000;w=3600',
        }


@pytest.mark.parametrize("quota", [5, 60])
def test_many_who_share_a_folder_never_pass_the_limit(tmp_path: Path, quota: int) -> None:
    clock = FakeClock()
    meter = Meter(clock, quota)
    paces = [Pace(clock, tmp_path) for _ in range(7)]
    for turn in range(quota * 4):
        pace = paces[turn % len(paces)]
        pace.wait()
        pace.learn(meter.request())
    assert meter.refused == 0
    assert clock.monotonic() < 60 * 5


def test_with_much_quota_left_nobody_waits(tmp_path: Path) -> None:
    clock = FakeClock()
    pace = Pace(clock, tmp_path)
    pace.learn({"ratelimit": '"minute";r=58;t=41', "ratelimit-policy": '"minute";q=60;w=60'})
    for _ in range(20):
        pace.wait()
    assert clock.monotonic() == 0


def test_after_a_refusal_every_process_waits(tmp_path: Path) -> None:
    clock = FakeClock()
    Pace(clock, tmp_path).pause_all(12)
    Pace(clock, tmp_path).wait()
    assert clock.monotonic() == pytest.approx(12)


def test_a_limit_that_is_used_up_for_hours_is_an_error() -> None:
    clock = FakeClock()
    pace = Pace(clock, None)
    pace.learn({"ratelimit": '"minute";r=58;t=41, "day";r=0;t=7200'})
    with pytest.raises(CloudUnreachable, match="120 minutes"):
        pace.wait()
    assert clock.monotonic() == 0


def test_a_suspended_process_that_holds_the_file_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "LOCK_TIMEOUT_S", 0.1)
    with FileLock(tmp_path / "pace.json.lock"):
        Pace(FakeClock(), tmp_path).wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"remaining": 1}', "null"])
def test_a_file_that_makes_no_sense_is_no_limit(tmp_path: Path, text: str) -> None:
    (tmp_path / "pace.json").write_text(text)
    clock = FakeClock()
    Pace(clock, tmp_path).wait()
    assert clock.monotonic() == 0


class SetClock(FakeClock):
    """A clock whose time of day somebody sets."""

    set_by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.set_by


@pytest.mark.parametrize("hours", [-48, -1, 1, 48])
@pytest.mark.parametrize("shared", [True, False])
def test_a_clock_that_was_set_locks_nobody_out(tmp_path: Path, hours: int, shared: bool) -> None:
    clock = SetClock()
    pace = Pace(clock, tmp_path if shared else None)
    pace.learn({"ratelimit": '"minute";r=0;t=30', "ratelimit-policy": '"minute";q=60;w=60'})
    pace.pause_all(20)
    clock.set_by = timedelta(hours=hours)
    pace.wait()
    assert clock.monotonic() <= 60
    clock.set_by = timedelta()
    pace.wait()
    assert clock.monotonic() <= 120


@pytest.mark.parametrize("text", ['{"remaining": 0, "quota": 1, "resets_at": 1e300, "next_at": 0, "stored_at": 0}'])
def test_a_file_from_the_far_future_is_no_limit(tmp_path: Path, text: str) -> None:
    (tmp_path / "pace.json").write_text(text)
    Pace(clock := FakeClock(), tmp_path).wait()
    assert clock.monotonic() == 0


def test_a_header_from_the_far_future_is_a_day_at_most() -> None:
    window = parse_window({"ratelimit": '"minute";r=0;t=999999999'}, 0.0)
    assert window is not None and window.resets_at <= 86_400


@given(header=st.text(), policy=st.text())
def test_no_header_breaks_it(header: str, policy: str) -> None:
    parse_window({"ratelimit": header, "ratelimit-policy": policy}, 0.0)


@given(remaining=st.integers(-5, 100), quota=st.integers(1, 100), left_s=st.floats(-10, 100))
def test_the_rest_of_a_window_is_enough_for_the_rest_of_its_quota(remaining: int, quota: int, left_s: float) -> None:
    gap = gap_s(Window(remaining=remaining, quota=quota, resets_at=left_s), 0.0)
    assert gap >= 0
    assert gap * max(1, remaining) <= max(0.0, left_s) + 1e-6
