"""A run is found by whatever a user calls it, from any folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runpod_deploy.errors import UsageError
from runpod_deploy.history.names import find_run, latest_run
from runpod_deploy.record import begun_here, index
from runpod_deploy.record.paths import RUNS_DIR, RunDir, project_of


def begin(project: Path, stamp: str, job: str) -> Path:
    """A run of this job, begun on this machine."""
    folder = RunDir(project / RUNS_DIR / stamp)
    folder.path.mkdir(parents=True)
    folder.spec.write_text(json.dumps({"run_id": f"{job}-{stamp}", "job": {"name": job}}))
    begun_here.remember(f"token of {job}-{stamp}", folder, folder.spec.read_text())
    index.note(folder)
    return folder.path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with three runs of two jobs."""
    for stamp, job in (("20260601T080000Z", "tune"), ("20260602T080000Z", "tune"), ("20260603T080000Z", "eval")):
        begin(tmp_path / "project", stamp, job)
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("name", "stamp"),
    [
        ("tune-20260602T080000Z", "20260602T080000Z"),
        ("20260601T080000Z", "20260601T080000Z"),
        ("eval", "20260603T080000Z"),
        ("tune-20260602", "20260602T080000Z"),
        ("20260601", "20260601T080000Z"),
        ("last", "20260603T080000Z"),
        ("last:tune", "20260602T080000Z"),
    ],
)
@pytest.mark.parametrize("place", ["", "src/deep", "../elsewhere"])
def test_each_name_finds_its_run_from_any_folder(project: Path, name: str, stamp: str, place: str) -> None:
    here = (project / place).resolve()
    here.mkdir(parents=True, exist_ok=True)
    assert (here / find_run(name, here)).resolve() == project / RUNS_DIR / stamp


def test_a_path_stays_as_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / RUNS_DIR)
    for name in ("./nowhere", "20260601T080000Z", "/x/y", "."):
        assert find_run(name, Path.cwd()) == Path(name)


def test_the_runs_of_the_project_come_first(project: Path, tmp_path: Path) -> None:
    begin(tmp_path / "other", "20260609T080000Z", "tune")
    assert latest_run(project).name == "20260603T080000Z"
    assert latest_run(tmp_path).name == "20260609T080000Z"


def test_a_name_that_fits_several_runs_names_them(project: Path) -> None:
    with pytest.raises(UsageError, match="fits 2 runs: tune-20260602T080000Z, tune-20260601T080000Z"):
        find_run("tune", project)


def test_a_mistyped_name_is_guessed(project: Path) -> None:
    with pytest.raises(UsageError, match="no run is called 'tune-20260602T080001Z'") as caught:
        find_run("tune-20260602T080001Z", project)
    assert "did you mean tune-20260602T080000Z?" in (caught.value.hint or "")
    with pytest.raises(UsageError) as caught:
        find_run("last:tun", project)
    assert "did you mean last:tune?" in (caught.value.hint or "")


def test_the_project_is_searched_upwards(project: Path, tmp_path: Path) -> None:
    assert project_of(project / "a" / "b") == project
    assert project_of(tmp_path) is None


def test_an_index_that_was_lost_or_torn_is_made_good(project: Path, tmp_path: Path) -> None:
    assert len(index.indexed_runs()) == 3
    with index.place().open("a") as file:
        file.write('{"path": "/torn')
    begin(project, "20260604T080000Z", "tune")
    assert len(index.indexed_runs()) == 4
    index.place().unlink()
    assert [run.path.name[:8] for run in index.indexed_runs()] == ["20260601", "20260602", "20260603", "20260604"]


def test_a_run_whose_folder_is_gone_is_not_found(project: Path) -> None:
    folder = project / RUNS_DIR / "20260603T080000Z"
    (folder / "spec.json").unlink()
    folder.rmdir()
    assert latest_run(project).name == "20260602T080000Z"
