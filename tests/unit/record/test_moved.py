"""A run whose project was moved: its files belong to the present place."""

from __future__ import annotations

import io
from pathlib import Path

from runpod_deploy.driver import RunOptions, with_listeners
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.spec_file import first_spec, read_spec
from runpod_deploy.spec import ArtifactPullSpec, RsyncPushSpec, SecretSpec
from tests.support.worlds import Memory, with_job


def begun(tmp_path: Path) -> tuple[Memory, Path]:
    """A run in a project, and the project's folder."""
    project = tmp_path / "project"
    project.mkdir()
    world = Memory(project)
    artifacts = (
        ArtifactPullSpec(label="a", remote_path="/w/a", local_path=f"{world.dir.path}/"),
        ArtifactPullSpec(label="b", remote_path="/w/b/", local_path=f"{project}/results/"),
        ArtifactPullSpec(label="c", remote_path="/w/c", local_path="c"),
        ArtifactPullSpec(label="d", remote_path="/w/d", local_path=f"{project}-other/d"),
    )
    staging = (RsyncPushSpec(label="s", source=f"{project}/src/", destination="/w/s"),)
    secrets = (SecretSpec(name="t", destination="/w/t", file=f"{project}/token"),)
    world.spec = with_job(world.spec, artifacts=artifacts, staging=staging, secrets=secrets)
    first_spec(world.spec, world.dir)
    return world, project


def places(spec_dir: RunDir) -> list[str]:
    return [entry.local_path for entry in read_spec(spec_dir).job.artifacts]


def test_a_run_that_was_not_moved_is_as_it_was(tmp_path: Path) -> None:
    world, project = begun(tmp_path)
    assert read_spec(world.dir).moved_from is None
    assert places(world.dir) == [f"{world.dir.path}/", f"{project}/results/", "c", f"{project}-other/d"]


def test_paths_follow_a_project_that_was_moved(tmp_path: Path) -> None:
    world, project = begun(tmp_path)
    new = project.rename(tmp_path / "elsewhere")
    run_dir = RunDir(new / world.dir.path.relative_to(project))
    spec = read_spec(run_dir)
    assert (spec.project_root, spec.moved_from) == (new, project)
    assert spec.config_path == new / "job.yaml"
    assert places(run_dir) == [f"{run_dir.path}/", f"{new}/results/", "c", f"{project}-other/d"]
    assert (spec.job.staging[0].source, spec.job.secrets[0].file) == (f"{new}/src/", f"{new}/token")
    out = io.StringIO()
    world.spec, world.dir = spec, run_dir
    with_listeners(world.open(), RunOptions(out=out))
    assert out.getvalue() == f"the project was moved: files go to {new}, not to {project}\n"


def test_a_run_folder_that_left_its_project_keeps_it(tmp_path: Path) -> None:
    world, project = begun(tmp_path)
    copy = RunDir(world.dir.path.rename(tmp_path / "copy"))
    spec = read_spec(copy)
    assert spec.project_root == project
    assert places(copy)[:2] == [f"{copy.path}/", f"{project}/results/"]


def test_beside_the_original_a_copy_changes_nothing(tmp_path: Path) -> None:
    world, _ = begun(tmp_path)
    copy = RunDir(tmp_path / "copy")
    copy.path.mkdir()
    copy.spec.write_bytes(world.dir.spec.read_bytes())
    assert read_spec(copy).job == read_spec(world.dir).job
