"""Only folders of runs that are over, and whose pods are confirmed to be gone, may go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runpod_deploy.history.pruning import Judged, Wanted, judged, remove
from runpod_deploy.history.runs import RecordedRun
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.spec import LifecyclePolicySpec
from runpod_deploy.spec.json import spec_to_json
from tests.support.worlds import Memory, dies_after, with_job


def recorded(world: Memory) -> RecordedRun:
    """The run as its folder has it."""
    world.dir.spec.write_text(spec_to_json(world.spec))
    return RecordedRun(world.dir, world.spec, world.open().state)


def verdicts(world: Memory, *, failed_only: bool = False) -> list[Judged]:
    """The old runs of the world, a month later."""
    world.clock.sleep(30 * 86400.0)
    wanted = Wanted(world.clock.now() - timedelta(days=1), failed_only)
    return list(judged([recorded(world)], wanted, lambda: world.cloud, world.clock))


def test_a_finished_run_without_a_pod_goes_and_what_its_links_lead_to_stays(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    carry_out(world.open())
    (world.dir.path / "out").mkdir()
    (world.dir.path / "out" / "link").symlink_to(tmp_path / "src", target_is_directory=True)
    (tmp_path / "src" / "code.py").write_text("x")
    (one,) = verdicts(world)
    assert one.why_kept == "" and one.size_bytes > 0
    remove(one.run)
    assert not world.dir.path.exists() and (tmp_path / "src" / "code.py").exists()


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Memory]:
    """A world whose folders are removed at the end, however deep: pytest removes folders by recursion."""
    yield Memory(tmp_path)
    subprocess.run(["rm", "-rf", *tmp_path.iterdir()], check=True)


def test_a_folder_that_is_too_deep_for_python_stops_no_other(
    deep: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = deep
    carry_out(world.open())
    monkeypatch.chdir(world.dir.path)
    for _ in range(sys.getrecursionlimit() + 100):
        Path("d").mkdir()
        os.chdir("d")
    monkeypatch.chdir(tmp_path)
    (one,) = verdicts(world)
    assert "nested too deeply" in one.why_kept or sys.version_info >= (3, 12)


def test_a_run_that_has_not_ended_or_is_young_is_not_even_asked_about(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    with pytest.raises(BaseException):  # noqa: B017 - the process is killed
        carry_out(world.open(dies_after(12)))
    assert verdicts(world) == []
    carry_out(world.open())
    wanted = Wanted(world.clock.now() - timedelta(days=1))
    assert list(judged([recorded(world)], wanted, lambda: world.cloud, world.clock)) == []


def test_a_kept_pod_keeps_its_folder_until_the_api_says_that_it_is_gone(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success="stop"))
    state = carry_out(world.open())
    assert verdicts(world, failed_only=True) == []
    (one,) = verdicts(world)
    assert "still exists (EXITED) and may bill" in one.why_kept
    assert state.pod.id is not None
    world.cloud.delete(state.pod.id)
    (one,) = verdicts(world)
    assert one.why_kept == ""


def test_a_folder_behind_a_link_stays(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    carry_out(world.open())
    real = world.dir.path.rename(tmp_path / "elsewhere")
    world.dir.path.symlink_to(real, target_is_directory=True)
    (one,) = verdicts(world)
    assert "its folder is a link" in one.why_kept
