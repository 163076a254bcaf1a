"""What each download must not touch: the run's own files, other runs, the config, the places of other artifacts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases.artifact_places import protected
from runpod_deploy.phases.artifacts import pull_of
from runpod_deploy.record.paths import RUNS_DIR
from tests.support.worlds import Memory, with_job


def test_each_download_knows_what_it_must_not_touch(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    (out,) = world.spec.job.artifacts
    other = replace(out, label="other", remote_path="/workspace/models", local_path="results/deep", required=False)
    world.spec = with_job(world.spec, artifacts=(out, other))
    run = world.open()

    carry_out(run)

    (host,) = world.hosts.values()
    first, second = host.pulls
    for asked in (first, second):
        assert {run.dir.ssh, run.dir.events, run.dir.lock, world.spec.config_path} <= {*asked.protected}
        assert run.dir.path / ".lock-holder" in asked.protected
    root = world.spec.project_root
    assert first.other_artifacts == (root / "results/deep", root / "results/deep/models")
    assert root / out.local_path in second.other_artifacts


@pytest.mark.parametrize(("place", "whole"), [(".", True), ("artifacts", True), ("artifacts/runpod", False)])
def test_no_artifact_above_reaches_into_other_runs(tmp_path: Path, place: str, whole: bool) -> None:
    run = Memory(tmp_path).open()
    all_runs = run.spec.project_root / RUNS_DIR
    (all_runs / "20200101T000000Z").mkdir(parents=True)
    kept = protected(run, run.spec.project_root / place)
    assert (all_runs in kept) == whole
    assert (all_runs / "20200101T000000Z" / "ssh" in kept) != whole


def test_an_artifact_in_its_run_folder_or_beside_another_run_is_held_to_its_place(tmp_path: Path) -> None:
    run = Memory(tmp_path).open()
    all_runs = run.spec.project_root / RUNS_DIR
    for name in ("one", "two"):
        (all_runs / name).mkdir(parents=True)
    assert all_runs / "one" / "ssh" in protected(run, all_runs / "one" / "sub")
    assert all_runs / "two" / "ssh" not in protected(run, all_runs / "one" / "sub")
    assert all_runs / "one" / "ssh" not in protected(run, run.dir.path)


def test_the_base_of_the_config_is_protected(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    config = world.spec.config_path
    origins = {"name": f"{config}:1", "pod.image": f"{config.parent}/base.yaml:7", "gpu": "--gpu", "x": "default"}
    world.spec = replace(world.spec, origins=origins)
    assert {config, config.parent / "base.yaml"} <= {*protected(world.open(), tmp_path)}


def test_nothing_is_deleted_in_a_folder_that_holds_the_run_by_another_name(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    (out,) = world.spec.job.artifacts
    (world.spec.project_root / "alias").symlink_to(".")
    run = world.open()
    for place, deletes in {"alias": False, ".": False, "results": True}.items():
        entry = replace(out, local_path=place, delete=True)
        assert pull_of(run, entry, while_job_runs=False).delete == deletes
