"""Pulls while the job runs: cheap for the pod, and no substitute for the verified pull at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.events import ArtifactPullCompleted
from tests.support.worlds import Memory, with_job


def test_early_pulls_trust_size_and_time_and_collect_verifies_everything(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=150.0)
    early = replace(world.spec.job.artifacts[0], every_sec=60)
    world.spec = with_job(world.spec, artifacts=(early,))

    state = carry_out(world.open())

    (host,) = world.hosts.values()
    assert [pull.trusting for pull in host.pulls] == [True, True, False]
    checksums = [event.sha256 for event in world.events if isinstance(event, ArtifactPullCompleted)]
    assert checksums == ["", "", "0" * 64], "a pull that did not read every file has no checksum to show"
    assert dict(state.work.artifacts)["out"].sha256 == "0" * 64


def test_without_early_pulls_nothing_is_trusted(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=150.0)
    carry_out(world.open())
    (host,) = world.hosts.values()
    assert [pull.trusting for pull in host.pulls] == [False]
