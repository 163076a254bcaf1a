"""cleanup and stop: which pod of a state file is ended without a question."""

from __future__ import annotations

import pytest

from runpod_deploy.cli.pods import doubt_about, outcome
from runpod_deploy.cloud.values import Pod
from runpod_deploy.record.state_file import StateFile

TOKEN = {"RUNPOD_DEPLOY_RUN_TOKEN": "22" * 16}


@pytest.mark.parametrize(
    ("name", "env", "run_id", "doubted"),
    [
        ("demo-20260101T000000Z", {}, None, False),  # as the earlier tool leaves it
        ("training", {}, None, True),
        ("training", {}, "training", True),
        ("demo-20260101T000000Z", TOKEN, None, True),
        ("demo-20260101T000000Z", TOKEN, "demo-20260101T000000Z", False),  # a manifest
    ],
)
def test_a_file_may_name_any_pod(name: str, env: dict[str, str], run_id: str | None, doubted: bool) -> None:
    pod = Pod(id="abc", name=name, status="RUNNING", usd_per_hour=None, created_at=None, env=env)
    assert bool(doubt_about(pod, StateFile(pod_id="abc", run_id=run_id))) is doubted


def test_only_a_pod_that_the_key_has_seen_is_called_deleted() -> None:
    assert outcome("delete", seen=True) == "deleted, confirmed"
    assert "deleted" not in outcome("delete", seen=False) and "another account" in outcome("delete", seen=False)
