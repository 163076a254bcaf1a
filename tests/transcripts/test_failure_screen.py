"""The end of a failed run fits a terminal of 80 columns, and each command that it advises fits with its purpose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runpod_deploy.record import events as e
from runpod_deploy.record.paths import RunDir
from runpod_deploy.terminal.failure import failure_lines
from runpod_deploy.terminal.hints import about
from tests.unit.terminal.test_failure import ended

SCREENS = Path(__file__).parent / "screens"
LOG = "epoch  1/16  loss 0.4312\nepoch  2/16  loss 0.2101\nMemoryError\n"
ENDS = {
    "stopped": e.PodReleased(action="stop", state="EXITED"),
    "kept": e.PodReleased(action="preserve", state="RUNNING"),
}


@pytest.mark.parametrize("how", sorted(ENDS))
def test_a_failure_fits_eighty_columns(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = RunDir(tmp_path / "artifacts" / "runpod" / "20261128T020516Z-2")
    run_dir.path.mkdir(parents=True)
    run_dir.log.write_text(LOG)
    monkeypatch.chdir(tmp_path)
    state = ended(ENDS[how])
    assert state.failure is not None
    actual = "".join(f"{line.rstrip()}\n" for line in failure_lines(state.failure, state, run_dir))
    expected = SCREENS / f"failure-{how}-80.txt"
    if os.environ.get("WRITE_TRANSCRIPTS"):
        expected.write_text(actual, encoding="utf-8")
    assert actual == expected.read_text(encoding="utf-8")
    advice = actual.partition("next:\n")[2]
    assert max(map(len, advice.splitlines())) <= 80


def test_a_run_is_named_by_its_folder_only_where_that_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "project" / "artifacts" / "runpod"
    (runs / "20261128T020516Z").mkdir(parents=True)
    (tmp_path / "project" / "sub").mkdir()
    short = "runpod-deploy logs 20261128T020516Z"
    for folder, named in (("project", True), ("project/sub", True), (".", False)):
        monkeypatch.chdir(tmp_path / folder)
        assert (about("logs", runs / "20261128T020516Z") == short) is named
    monkeypatch.chdir(tmp_path / "project")
    assert about("logs", runs / "last") == "runpod-deploy logs artifacts/runpod/last"
