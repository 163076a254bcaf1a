"""Artifacts with fewer files than somebody expects of them, or with links that lead nowhere."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.driver import RunOptions, with_listeners
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.events import ArtifactEmpty, ArtifactPullCompleted, ArtifactPullFailed
from runpod_deploy.spec import ArtifactPullSpec
from tests.support.worlds import Memory, with_job


def world_with(tmp_path: Path, remote_path: str = "/workspace/empty/", **more: Any) -> Memory:
    """A run with one artifact, on pods with an empty folder."""
    world = Memory(tmp_path)
    entry = ArtifactPullSpec(label="out", remote_path=remote_path, local_path="out", **more)
    world.spec = with_job(world.spec, artifacts=(entry,))
    world.settings = {**world.settings, "empty_folders": ("/workspace/empty/",)}
    return world


def test_a_required_folder_without_files_is_a_warning_in_console_event_and_manifest(tmp_path: Path) -> None:
    world, out = world_with(tmp_path), io.StringIO()
    state = carry_out(with_listeners(world.open(), RunOptions(out=out)))
    assert state.exit_code == 0
    assert "WARNING: artifact out has no files: /workspace/empty/ is an empty folder" in out.getvalue()
    assert [event.label for event in world.events if isinstance(event, ArtifactEmpty)] == ["out"]
    (row,) = json.loads(world.dir.manifest.read_text())["artifacts"]
    assert (row["status"], row["warning"]) == ("success", "it has no files")


def test_an_optional_folder_without_files_is_fine(tmp_path: Path) -> None:
    world = world_with(tmp_path, required=False)
    assert carry_out(world.open()).exit_code == 0
    assert not any(isinstance(event, ArtifactEmpty) for event in world.events)


@pytest.mark.parametrize(("least", "code"), [(1, 0), (2, 7)])
def test_fewer_files_than_min_files_is_a_missing_artifact(tmp_path: Path, least: int, code: int) -> None:
    world = world_with(tmp_path, "/workspace/out", min_files=least)
    state = carry_out(world.open())
    assert state.exit_code == code
    if code:
        assert state.failure is not None and state.failure.kind == "artifact_missing"
        assert "it has 1 files, fewer than its min_files: 2" in state.failure.message


def test_while_the_job_runs_there_may_be_fewer(tmp_path: Path) -> None:
    world = world_with(tmp_path, "/workspace/out", min_files=2, every_sec=10)
    world.settings = {**world.settings, "job_lasts_s": 60.0}
    assert carry_out(world.open()).exit_code == 7
    pulls = [
        type(event).__name__ for event in world.events if isinstance(event, ArtifactPullCompleted | ArtifactPullFailed)
    ]
    assert set(pulls[:-1]) == {"ArtifactPullCompleted"} and pulls[-1] == "ArtifactPullFailed"


@pytest.mark.parametrize(("required", "code"), [(True, 7), (False, 0)])
def test_links_that_lead_nowhere_fail_a_required_artifact_and_are_named(
    tmp_path: Path, required: bool, code: int
) -> None:
    world, out = world_with(tmp_path, "/workspace/out", required=required), io.StringIO()
    world.settings = {**world.settings, "lost_links": ("best", "a\x1bb", "c", "d")}
    state = carry_out(with_listeners(world.open(), RunOptions(out=out)))
    assert state.exit_code == code
    assert r"'best', 'a\x1bb', 'c' and 1 more" in out.getvalue()
    if required:
        assert state.failure is not None and state.failure.kind == "artifact_missing"
        assert "links in it lead nowhere on the pod: 'best'" in state.failure.message


def test_while_the_job_runs_links_may_lead_nowhere(tmp_path: Path) -> None:
    world = world_with(tmp_path, "/workspace/out", every_sec=10)
    world.settings = {**world.settings, "job_lasts_s": 60.0, "lost_links": ("best",)}
    assert carry_out(world.open()).exit_code == 7
    pulls = [event for event in world.events if isinstance(event, ArtifactPullCompleted | ArtifactPullFailed)]
    assert isinstance(pulls[0], ArtifactPullCompleted) and pulls[0].unresolved_first == ("'best'",)
    assert isinstance(pulls[-1], ArtifactPullFailed)
