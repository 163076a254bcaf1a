"""The account's rate limit, which all processes keep together."""

from __future__ import annotations

import heapq
import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.cloud.runpod import pace as pace_module
from runpod_deploy.cloud.runpod.pace import LOOK_EVERY_S, STALE_S, Pace, Ticket
from runpod_deploy.cloud.runpod.rate_window import Window, gap_s, learned, parse_window
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


@dataclass
class Process:
    """One of many processes with some requests to send, one after the other."""

    pace: Pace
    rank: int
    left: int
    ends_at: list[float]
    dies: bool = False

    def step(self, meter: Meter, ticket: Ticket | None) -> tuple[float, Ticket | None]:
        """The seconds until its next step, and its place in the queue."""
        ticket = ticket or self.pace.ticket(self.rank)
        delay_s = self.pace.ask(ticket)
        if delay_s > 0:
            return min(delay_s, LOOK_EVERY_S), ticket
        self.pace.learn(meter.request())
        self.left -= 1
        self.ends_at.append(meter.clock.monotonic())
        return 0.01, None


def play(clock: FakeClock, meter: Meter, processes: list[Process], within_s: float) -> None:
    """All processes have sent their requests, or the time is over. A process that dies looks once."""
    queue: list[tuple[float, int, Process, Ticket | None]] = [
        (0.001 * n, n, each, None) for n, each in enumerate(processes)
    ]
    turn = len(queue)
    while queue and queue[0][0] < within_s:
        at, _, process, ticket = heapq.heappop(queue)
        clock.advance(at - clock.monotonic())
        delay_s, held = process.step(meter, ticket)
        if process.left and not process.dies:
            heapq.heappush(queue, (clock.monotonic() + delay_s, turn := turn + 1, process, held))


@pytest.mark.parametrize("quota", [60, 6000])
def test_many_processes_all_get_their_turns(tmp_path: Path, quota: int) -> None:
    clock = FakeClock()
    meter = Meter(clock, quota)
    processes = [Process(Pace(clock, tmp_path), 2, 2, []) for _ in range(80)]
    play(clock, meter, processes, within_s=3600)
    assert not any(each.left for each in processes)
    assert meter.refused == 0
    assert clock.monotonic() < (6 * 60 if quota == 60 else 30)


def test_the_queue_is_fair_and_calls_that_end_a_pod_come_first(tmp_path: Path) -> None:
    clock = FakeClock()
    meter = Meter(clock, 60)
    processes = [Process(Pace(clock, tmp_path), 2, 1, []) for _ in range(100)]
    processes += [Process(Pace(clock, tmp_path), 0, 1, [])]
    play(clock, meter, processes, within_s=3600)
    ends = [each.ends_at[0] for each in processes]
    assert ends[-1] < 10
    late = sum(now > after + LOOK_EVERY_S for now, after in pairwise(ends[:100]))
    assert late == 0


def test_processes_that_die_in_the_queue_hold_nobody_up(tmp_path: Path) -> None:
    clock = FakeClock()
    meter = Meter(clock, 60)
    dying = [Process(Pace(clock, tmp_path), 0, 1, [], dies=True) for _ in range(200)]
    last = Process(Pace(clock, tmp_path), 2, 1, [])
    play(clock, meter, [*dying, last], within_s=600)
    assert last.left == 0
    assert last.ends_at[0] <= 60 + STALE_S + 10


def test_a_process_that_gives_up_gives_its_place_back(tmp_path: Path) -> None:
    clock = FakeClock()
    pace = Pace(clock, tmp_path)
    pace.learn({"ratelimit": '"day";r=0;t=7200', "ratelimit-policy": '"day";q=9;w=86400'})
    with pytest.raises(CloudUnreachable, match="120 minutes"):
        pace.wait()
    assert json.loads((tmp_path / "pace.json").read_text())["waiting"] == []


def test_a_long_wait_is_told_once(tmp_path: Path) -> None:
    clock = FakeClock()
    pace = Pace(clock, tmp_path)
    pace.learn({"ratelimit": '"minute";r=0;t=40', "ratelimit-policy": '"minute";q=60;w=60'})
    told: list[float] = []
    pace.wait(2, told.append)
    assert told == [pytest.approx(40)]
    assert clock.monotonic() == pytest.approx(40, abs=2)


def test_an_api_that_names_no_limit_has_none(tmp_path: Path) -> None:
    clock = FakeClock()
    pace = Pace(clock, tmp_path)
    for _ in range(500):
        pace.wait()
        pace.learn({})
    assert clock.monotonic() == 0


def test_requests_under_way_count_when_a_new_window_begins() -> None:
    known = Window(remaining=20, quota=60, resets_at=50.0, assumed=True)
    headers = {"ratelimit": '"minute";r=59;t=58', "ratelimit-policy": '"minute";q=60;w=60'}
    window = learned(known, headers, 0.0)
    assert window is not None and (window.remaining, window.assumed) == (20, False)


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


WINDOW = {"remaining": 0, "quota": 1, "resets_at": 1e300, "length_s": 60, "next_at": 0, "stored_at": 0}


@pytest.mark.parametrize("text", [json.dumps({"window": WINDOW | {"assumed": False}, "waiting": []})])
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
