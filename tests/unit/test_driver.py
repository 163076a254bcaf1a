"""The driver of one run: what it prints before the run goes on."""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Address
from runpod_deploy.driver import RunOptions, pull_artifacts, with_listeners
from runpod_deploy.errors import UsageError
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.pod.protocol import Host
from runpod_deploy.record import events as e
from runpod_deploy.record.begun_here import place, remember, require_known, why_unknown
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.spec_file import first_spec
from runpod_deploy.record.state import State
from runpod_deploy.spec import Spec
from tests.support.worlds import Killed, Memory


def printed(world: Memory, *, verbose: bool) -> str:
    """The lines that a process prints when it takes the run up."""
    out = io.StringIO()
    with_listeners(world.open(), RunOptions(verbose=verbose, out=out))
    return out.getvalue()


def test_rows_of_another_version_are_named_once_with_v(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    assert printed(world, verbose=True) == ""
    world.dir.events.write_text('{"event": "pod_painted"}\n{"event": "pod_sold"}\n')
    (line,) = printed(world, verbose=True).splitlines()
    assert "skipped 2 rows" in line and line.endswith("line 1: unknown event 'pod_painted'")
    assert printed(world, verbose=False) == ""


def dies(event: e.Event, _state: State) -> None:
    """The process is killed once the job runs."""
    if isinstance(event, e.JobLaunched):
        raise Killed


def no_host(_spec: Spec, _run_dir: RunDir, address: Address, _boot: int) -> Host:
    raise AssertionError(f"{address} was contacted")


@pytest.mark.parametrize("change", ["deleted", "foreign"])
def test_a_pull_asks_the_api_before_anything_is_fetched(tmp_path: Path, change: str) -> None:
    world = Memory(tmp_path)
    with pytest.raises(Killed):
        carry_out(world.open(dies))
    (rented,) = world.cloud.rented.values()
    if change == "deleted":
        world.cloud.hidden, world.cloud.lies = {rented.pod.id}, {rented.pod.id: 100}
    else:
        rented.pod = replace(rented.pod, env={"RUNPOD_DEPLOY_RUN_TOKEN": "22" * 16})
    outside = replace(world.open().world, reach=no_host)
    with pytest.raises(UsageError, match="does not exist any more"):
        pull_artifacts(world.spec, world.dir, outside, RunOptions(out=io.StringIO()))


def test_a_run_is_known_where_it_was_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Memory(tmp_path)
    spec = first_spec(world.spec, world.dir)
    assert require_known(spec.token, world.dir, trust=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    for token in (spec.token, "", "\ud800"):
        with pytest.raises(UsageError) as caught:
            require_known(token, world.dir, trust=False)
        assert "--trust" in caught.value.hint
    assert not require_known(spec.token, world.dir, trust=True)


def test_a_changed_spec_and_a_copy_are_not_known(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    spec = first_spec(world.spec, world.dir)
    copy = RunDir(tmp_path / "received")
    shutil.copytree(world.dir.path, copy.path)
    assert "it is a copy" in why_unknown(spec.token, copy)
    world.dir.path.rename(tmp_path / "moved")
    assert why_unknown(spec.token, copy) == why_unknown(spec.token, RunDir(tmp_path / "moved")) == ""
    copy.spec.write_text(copy.spec.read_text().replace("/workspace/out", "/workspace/in"))
    assert "not the one that you began" in why_unknown(spec.token, copy)


def test_runs_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    old, new = "aa" * 16, "bb" * 16
    remember(old, world.dir, "")
    os.utime(place(old), (0, 0))
    remember(new, world.dir, "")
    assert place(new).exists() and not place(old).exists()


def test_a_journal_that_is_older_than_its_run_makes_no_known_run(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.dir.events.touch()
    assert why_unknown(first_spec(world.spec, world.dir).token, world.dir)


def test_a_state_folder_that_cannot_be_written_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    world = Memory(tmp_path)
    assert why_unknown(first_spec(world.spec, world.dir).token, world.dir)
