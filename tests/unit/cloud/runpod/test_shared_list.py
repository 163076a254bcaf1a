"""One listing for many processes: how often the API is really asked."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.cloud.runpod import shared_list as listing_module
from runpod_deploy.cloud.runpod.rate_window import usual
from runpod_deploy.cloud.runpod.shared_list import GAP_S, WINDOW_S, SharedList
from runpod_deploy.machine.clock import SystemClock
from tests.support.fakes.api import Api, Reply, pod_row
from tests.support.fakes.clock import FakeClock


class Source:
    """Pods, and how often they were asked for."""

    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = [pod_row()]
        self.asked = 0

    def fetch(self) -> list[dict[str, Any]]:
        self.asked += 1
        return self.pods


@pytest.mark.parametrize("max_age_s", [0.0, 1.5, 5.0])
def test_fifty_runs_ask_at_most_thirty_times_in_any_minute(tmp_path: Path, max_age_s: float) -> None:
    clock, asked_at = FakeClock(), list[float]()

    def fetch() -> list[dict[str, Any]]:
        asked_at.append(clock.monotonic())
        return [pod_row()]

    runs = [SharedList(fetch, clock, tmp_path) for _ in range(50)]
    while clock.monotonic() < 150:
        for run in runs:
            assert run.rows(max_age_s)
        clock.advance(1.0)
    assert max(sum(at <= other < at + WINDOW_S for other in asked_at) for at in asked_at) <= 30


def test_the_first_looks_come_at_once(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    listing = SharedList(source.fetch, clock, tmp_path)
    for _ in range(5):
        listing.rows(0.0)
        clock.advance(0.1)
    assert clock.monotonic() < 2.5 and source.asked == 5


@pytest.mark.parametrize(("quota", "every_s"), [(6000, 0.2), (60, 2.5)])
def test_ten_runs_one_after_another_wait_for_nobody(tmp_path: Path, quota: int, every_s: float) -> None:
    clock, source = FakeClock(), Source()
    window = replace(usual(0.0), quota=quota, remaining=quota)
    for _ in range(10):
        run = SharedList(source.fetch, clock, tmp_path, limit=lambda: window)
        for _ in range(3):
            run.rows(0.0)
            clock.advance(every_s)
    assert sum(clock.slept) == 0.0 and source.asked == 30


def test_what_others_have_used_of_the_limit_slows_listings_down(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    listing = SharedList(source.fetch, clock, tmp_path, limit=lambda: replace(usual(0.0), remaining=20))
    for _ in range(5):
        listing.rows(0.0)
        clock.advance(0.5)
    assert clock.monotonic() > 5.0


def test_a_minute_of_patience_costs_one_request_a_minute(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    runs = [SharedList(source.fetch, clock, tmp_path) for _ in range(50)]
    for _ in range(6):
        for run in runs:
            run.rows(60.0)
        clock.advance(30.0)
    assert source.asked <= 3


def test_zero_means_a_listing_that_began_after_the_question(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    listing = SharedList(source.fetch, clock, tmp_path)
    assert len(listing.rows(0.0)) == 1
    clock.advance(0.5)
    source.pods = []
    assert listing.rows(0.0) == []
    assert listing.rows(60.0) == []


def test_without_a_folder_a_process_shares_with_itself() -> None:
    clock, source = FakeClock(), Source()
    listing = SharedList(source.fetch, clock, None)
    assert listing.rows(5.0) == listing.rows(5.0)
    assert source.asked == 1


def test_a_listing_from_the_future_is_not_believed(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    SharedList(source.fetch, FakeClock(clock.now().replace(year=2030)), tmp_path).rows(5.0)
    source.pods = []
    assert SharedList(source.fetch, clock, tmp_path).rows(5.0) == []
    assert clock.monotonic() <= GAP_S


@pytest.mark.parametrize("text", ["", "{", "[]", '{"began_at": ["x"], "rows": []}', '{"rows": []}'])
def test_a_file_that_makes_no_sense_is_no_listing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pods.json").write_text(text)
    assert len(SharedList(Source().fetch, FakeClock(), tmp_path).rows(60.0)) == 1


def test_neither_a_pipe_nor_a_huge_file_is_waited_for_or_read(tmp_path: Path) -> None:
    pipe, huge = tmp_path / "pipe", tmp_path / "huge"
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    assert [listing_module.read_stored(path) for path in (pipe, huge)] == [None, None]


def test_the_file_is_for_the_user_alone_and_holds_our_own_labels_only(
    api: Api, cloud: RunPodCloud, tmp_path: Path
) -> None:
    api.replies(Reply(200, {"pods": [pod_row(env={"TOKEN": "hidden", "RUNPOD_DEPLOY_RUN_ID": "run-1"})]}))
    (pod,) = cloud.find("probe")
    assert pod.env == {"RUNPOD_DEPLOY_RUN_ID": "run-1"}
    (path,) = (tmp_path / "cache").rglob("pods.json")
    assert "hidden" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_suspended_process_that_holds_the_file_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "LOCK_TIMEOUT_S", 0.1)
    with FileLock(tmp_path / "pods.json.lock"):
        assert SharedList(Source().fetch, FakeClock(), tmp_path).rows(0.0)


def find_at_once(start: Barrier, url: str, folder: Path, found: Queue[int]) -> None:
    """Another process, which asks when all are ready."""
    cloud = RunPodCloud("key", url, SystemClock(), cache_dir=folder)
    start.wait(300)
    found.put(len(cloud.find("probe")))


def test_processes_that_ask_at_once_share_the_answer(api: Api, tmp_path: Path) -> None:
    api.replies(Reply(200, {"pods": [pod_row()]}, after_s=0.7))
    context = multiprocessing.get_context("spawn")
    start, found = context.Barrier(5), context.Queue()
    work = [context.Process(target=find_at_once, args=(start, api.url, tmp_path, found)) for _ in range(5)]
    for process in work:
        process.start()
    assert [found.get() for _ in work] == [1] * 5
    for process in work:
        process.join(300)
    assert len(api.received) <= 3


def test_get_never_takes_a_listing_for_an_answer(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, {"pods": [pod_row()]}), Reply(404, {"detail": "pod not found", "status": 404, "title": "x"}))
    assert cloud.look("5xpma5eg46tqjq", 60.0) is not None
    assert cloud.get("5xpma5eg46tqjq") is None
    assert cloud.look("5xpma5eg46tqjq", 60.0) is not None


def test_many_who_wait_for_stock_ask_for_the_catalogue_as_often_as_one(
    api: Api, clock: FakeClock, tmp_path: Path
) -> None:
    api.replies(Reply(200, {"gpus": []}))
    runs = [RunPodCloud("key", api.url, clock, cache_dir=tmp_path) for _ in range(20)]
    for _ in range(3):
        for run in runs:
            run.catalogue("SECURE", gpu_count=1)
        clock.advance(30)
    assert len(api.received) == 3
    runs[0].catalogue("SECURE", gpu_count=2)
    assert len(api.received) == 4
