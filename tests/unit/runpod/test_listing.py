"""One look for many: how often the API is really asked."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tests.fakes.api import Api, Say, pod_row
from tests.fakes.clock import FakeClock

from runpod_deploy.clock import SystemClock
from runpod_deploy.runpod import RunPodCloud
from runpod_deploy.runpod import listing as listing_module
from runpod_deploy.runpod.listing import GAP_S, Listing


class Source:
    """Pods, and how often they were asked for."""

    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = [pod_row()]
        self.asked = 0

    def fetch(self) -> list[dict[str, Any]]:
        self.asked += 1
        return self.pods


@pytest.mark.parametrize("max_age_s", [0.0, 1.5, 5.0])
def test_fifty_runs_ask_at_most_thirty_times_a_minute(tmp_path: Path, max_age_s: float) -> None:
    clock, source = FakeClock(), Source()
    runs = [Listing(source.fetch, clock, tmp_path) for _ in range(50)]
    while clock.monotonic() < 60:
        for run in runs:
            assert run.rows(max_age_s)
        clock.advance(1.0)
    assert source.asked <= 60 / GAP_S * clock.monotonic() / 60 + 1


def test_a_minute_of_patience_costs_one_request_a_minute(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    runs = [Listing(source.fetch, clock, tmp_path) for _ in range(50)]
    for _ in range(6):
        for run in runs:
            run.rows(60.0)
        clock.advance(30.0)
    assert source.asked <= 3


def test_zero_means_a_listing_that_began_after_the_question(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    listing = Listing(source.fetch, clock, tmp_path)
    assert len(listing.rows(0.0)) == 1
    clock.advance(0.5)
    source.pods = []
    assert listing.rows(0.0) == []
    assert listing.rows(60.0) == []


def test_without_a_folder_a_process_still_remembers_its_own_look() -> None:
    clock, source = FakeClock(), Source()
    listing = Listing(source.fetch, clock, None)
    assert listing.rows(5.0) == listing.rows(5.0)
    assert source.asked == 1


def test_a_listing_from_the_future_is_not_believed(tmp_path: Path) -> None:
    clock, source = FakeClock(), Source()
    Listing(source.fetch, FakeClock(clock.now().replace(year=2030)), tmp_path).rows(5.0)
    source.pods = []
    assert Listing(source.fetch, clock, tmp_path).rows(5.0) == []
    assert clock.monotonic() <= GAP_S


@pytest.mark.parametrize("text", ["", "{", "[]", '{"began_at": "x", "pods": []}', '{"pods": []}'])
def test_a_file_that_makes_no_sense_is_no_listing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pods.json").write_text(text)
    assert len(Listing(Source().fetch, FakeClock(), tmp_path).rows(60.0)) == 1


def test_the_file_is_for_the_user_alone_and_holds_our_own_marks_only(tmp_path: Path) -> None:
    source = Source()
    source.pods = [pod_row(env={"TOKEN": "hidden", "RUNPOD_DEPLOY_RUN_ID": "run-1"})]
    (row,) = Listing(source.fetch, FakeClock(), tmp_path).rows(0.0)
    assert row["env"] == {"RUNPOD_DEPLOY_RUN_ID": "run-1"}
    path = tmp_path / "pods.json"
    assert "hidden" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_suspended_process_that_holds_the_file_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "LOCK_PATIENCE_S", 0.1)
    with FileLock(tmp_path / "pods.json.lock"):
        assert Listing(Source().fetch, FakeClock(), tmp_path).rows(0.0)


def find_for_real(url: str, folder: Path) -> int:
    """How many pods another process finds."""
    cloud = RunPodCloud("key", url, SystemClock(), cache_dir=folder)
    return len(cloud.find("probe"))


def test_processes_that_ask_at_once_share_the_answer(api: Api, tmp_path: Path) -> None:
    api.says(Say(200, {"pods": [pod_row()]}, after_s=0.2))
    with ProcessPoolExecutor(6, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(find_for_real, [api.url] * 6, [tmp_path] * 6)) == [1] * 6
    assert len(api.heard) <= 3


def test_get_never_takes_a_listing_for_an_answer(api: Api, cloud: RunPodCloud) -> None:
    api.says(Say(200, {"pods": [pod_row()]}), Say(404, {"detail": "pod not found", "status": 404, "title": "x"}))
    assert cloud.look("5xpma5eg46tqjq", 60.0) is not None
    assert cloud.get("5xpma5eg46tqjq") is None
    assert cloud.look("5xpma5eg46tqjq", 60.0) is not None
