"""A recycled pod has one guard, that of the run that uses it: the guard of an earlier run becomes it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runpod_deploy.pod import guard
from runpod_deploy.pod.job import JobPaths
from tests.pod_scripts.test_guard import arm, guarding, terms_from, variables
from tests.support.shell_grounds import FakeApi, container, eventually, fake_api, script_folder


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


def folder(tmp_path: Path, name: str) -> Path:
    """The control folder of one run."""
    control = tmp_path / f"{name}-{os.getpid()}-{tmp_path.name}"
    script_folder(control / "bin-1")
    (control / "guard").mkdir()
    return control


def test_a_guard_of_an_earlier_run_does_not_end_the_pod_under_a_later_one(tmp_path: Path, api: FakeApi) -> None:
    first, second = folder(tmp_path, "first"), folder(tmp_path, "second")
    arm(first, 3600, idle_s=5)
    arm(second, 3600)
    with guarding(first, variables(api.url)):
        eventually((first / "guard" / "armed").exists)
        (first / "guard" / "successor").write_text(f"{second}\n")
        eventually((second / "guard" / "armed").exists)
        time.sleep(6.0)
        assert api.calls == []


def test_after_a_restart_of_the_container_the_later_run_s_terms_hold(tmp_path: Path, api: FakeApi) -> None:
    first, second = folder(tmp_path, "first"), folder(tmp_path, "second")
    arm(first, 3600)
    arm(second, -1, on_failure="stop")
    (second / "pid").write_text("999999\n")
    (first / "guard" / "successor").write_text(f"{second}\n")
    with guarding(first, variables(api.url)):
        eventually(lambda: api.calls)
    assert api.calls[0].body == '{"action":"stop"}'


def test_arming_names_the_successor_in_the_first_run_s_folder(tmp_path: Path, api: FakeApi) -> None:
    first, second = folder(tmp_path, "first"), folder(tmp_path, "second")
    paths = JobPaths(control_dir=str(second), log="/l", script="/s", disk="/")
    text = guard.terms_text(terms_from(datetime.now(UTC), 3600), datetime.now(UTC))
    arm_command = guard.arm_command(paths, len(text), ":")
    env = {**variables(api.url), "RUNPOD_DEPLOY_DIR": str(first), "TEXT": text, "ARM": arm_command}
    with container(env, ("sh", "-c", 'printf %s "$TEXT" | sh -c "$ARM"; sleep 60')):
        eventually((first / "guard" / "successor").exists)
    assert (first / "guard" / "successor").read_text() == f"{second}\n"
