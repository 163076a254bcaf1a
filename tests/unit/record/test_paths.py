"""Facts about a run folder are spelled in one module."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import runpod_deploy
from runpod_deploy.errors import UsageError
from runpod_deploy.record import paths
from runpod_deploy.record.paths import RunDir, began_at, claim, require_own, reserve, time_stamp

SOURCES = Path(runpod_deploy.__file__).parent
HOMES = {"record/paths.py", "spec/job.py"}
FACTS = re.compile(r"""["'](?:%Y%m%dT%H%M%SZ|events\.jsonl|metrics\.jsonl|runpod_deploy_pull_manifest\.json)["']""")


def test_a_stamp_is_read_as_it_was_written() -> None:
    at = datetime(2026, 6, 4, 10, 15, 0, tzinfo=UTC)
    assert time_stamp(at) == "20260604T101500Z"
    assert began_at("20260604T101500Z") == began_at("20260604T101500Z-2") == at
    assert began_at("my-run") is None


def test_a_folder_is_that_of_a_run_once_it_has_a_journal(tmp_path: Path) -> None:
    folder, name = reserve(tmp_path, "20260604T101500Z")
    assert folder.path == tmp_path / paths.RUNS_DIR / name and not folder.is_run
    folder.events.touch()
    assert folder.is_run and not RunDir(tmp_path).is_run


def test_only_this_user_may_enter_a_run_folder(tmp_path: Path) -> None:
    folder, _ = reserve(tmp_path, "20260604T101500Z")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert claim(tmp_path, "my-run").path.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", [".", "spec.json", "events.jsonl", "ssh"])
def test_a_run_folder_of_another_user_is_only_read(tmp_path: Path, name: str) -> None:
    folder, _ = reserve(tmp_path, "20260604T101500Z")
    for own in (folder.spec, folder.events):
        own.touch()
    folder.ssh.mkdir()
    require_own(folder, trust=False)
    os.chown(folder.path / name, 12345, 12345)
    with pytest.raises(UsageError, match="another user") as caught:
        require_own(folder, trust=False)
    assert "--trust" in caught.value.hint
    require_own(folder, trust=True)


@pytest.mark.parametrize("source", sorted(SOURCES.rglob("*.py")), ids=str)
def test_no_other_module_spells_the_names_of_a_run_folder(source: Path) -> None:
    if source.relative_to(SOURCES).as_posix() not in HOMES:
        assert FACTS.findall(source.read_text()) == []
