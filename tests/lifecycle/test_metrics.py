"""The results of a job as numbers: an artifact with metrics is read when it is here, and never fails a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.events import ArtifactMetricsRead, ArtifactMetricsUnreadable, ArtifactPullCompleted, Event
from runpod_deploy.record.manifest import manifest
from runpod_deploy.record.state import State
from runpod_deploy.spec.rules import RuleError
from tests.support.worlds import Killed, Memory, with_job

REMOTE = "/workspace/out.json"


def world_with(tmp_path: Path, content: bytes, **more: object) -> Memory:
    """A run whose only artifact has metrics and this content."""
    world = Memory(tmp_path, results={REMOTE: content}, **more)
    entry = replace(world.spec.job.artifacts[0], remote_path=REMOTE, local_path="out.json", metrics=True)
    world.spec = with_job(world.spec, artifacts=(entry,))
    return world


def test_the_numbers_of_a_file_are_in_the_manifest(tmp_path: Path) -> None:
    world = world_with(tmp_path, b'{"accuracy": 0.91, "test": {"loss": 0.2}, "name": "x", "diverged": NaN}')
    state = carry_out(world.open())
    made = manifest(world.spec, state, now=world.clock.now(), log=None, files=[])
    assert state.outcome == "succeeded" and made["metrics"] == {"accuracy": 0.91, "test.loss": 0.2}


@pytest.mark.parametrize("content", [b"{", b"[1]", b'{"name": "x"}', b"\xff"], ids=repr)
def test_a_file_without_numbers_is_a_warning(content: bytes, tmp_path: Path) -> None:
    world = world_with(tmp_path, content)
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and state.job.metrics == ()
    assert len([event for event in world.events if isinstance(event, ArtifactMetricsUnreadable)]) == 1


def test_while_the_job_runs_only_new_numbers_are_recorded(tmp_path: Path) -> None:
    world = world_with(tmp_path, b'{"accuracy": 0.5}', job_lasts_s=150.0)
    world.spec = with_job(world.spec, artifacts=(replace(world.spec.job.artifacts[0], every_sec=60),))
    carry_out(world.open())
    assert len([event for event in world.events if isinstance(event, ArtifactPullCompleted)]) == 3
    assert len([event for event in world.events if isinstance(event, ArtifactMetricsRead)]) == 1


def test_a_process_that_dies_between_the_pull_and_the_reading_loses_no_numbers(tmp_path: Path) -> None:
    world = world_with(tmp_path, b'{"accuracy": 0.5}')

    def die_after_the_pull(event: Event, _state: State) -> None:
        if isinstance(event, ArtifactPullCompleted):
            raise Killed

    with pytest.raises(Killed):
        carry_out(world.open(die_after_the_pull))
    assert dict(carry_out(world.open()).job.metrics) == {"accuracy": 0.5}


def test_a_folder_has_no_metrics(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="a folder has no metrics"):
        replace(Memory(tmp_path).spec.job.artifacts[0], remote_path="/workspace/out/", metrics=True)
