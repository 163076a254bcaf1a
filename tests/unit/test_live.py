"""The way to RunPod: one for commands, scripts and runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import runpod_deploy as rd
from runpod_deploy.cli.access import real_cloud
from runpod_deploy.live import real_world
from tests.support.fakes.api import Api, Reply, pod_row, scripted_api

LIMIT = {"ratelimit": '"minute";r=58;t=41', "ratelimit-policy": '"minute";q=60;w=60'}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Api]:
    """A scripted API that the environment names, with a key and an empty cache folder."""
    with scripted_api() as api:
        monkeypatch.setenv("RUNPOD_API_BASE_URL", api.url)
        monkeypatch.setenv("RUNPOD_API_KEY", "key-of-the-test")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        yield api


def test_a_script_and_a_command_share_listings(api: Api) -> None:
    api.replies(Reply(200, {"gpus": []}))
    rd.fetch_gpu_prices()
    asked = len(api.received)

    real_cloud().catalogue("SECURE", gpu_count=1)
    real_world().cloud.catalogue("COMMUNITY", gpu_count=1)

    assert len(api.received) == asked == 2


def test_scripts_commands_and_runs_share_the_files_of_the_account(api: Api, tmp_path: Path) -> None:
    def files() -> set[str]:
        return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")}

    api.replies(Reply(200, {"pods": [pod_row()]}, headers=LIMIT))
    rd.list_stale_pods()
    of_the_script = files()
    real_cloud().list_pods()
    assert real_world().cloud.look("5xpma5eg46tqjq", 60.0)

    assert {Path(name).name for name in of_the_script} == {"pace.json", "pods.json"}
    assert files() == of_the_script
