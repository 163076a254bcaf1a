"""A scripted API and a client of it whose waiting takes no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.errors import DeployError
from tests.support.fakes.api import Api, scripted_api
from tests.support.fakes.clock import FakeClock


@pytest.fixture(scope="session")
def server() -> Iterator[Api]:
    """One server for all tests of a process."""
    with scripted_api() as api:
        yield api


@pytest.fixture
def api(server: Api) -> Api:
    """The server with an empty script."""
    server.replies()
    return server


@pytest.fixture
def clock() -> FakeClock:
    """Time that only the client's own waiting moves."""
    return FakeClock()


@pytest.fixture
def retries() -> list[tuple[str, DeployError, float]]:
    """What the client has reported."""
    return []


@pytest.fixture
def cloud(api: Api, clock: FakeClock, retries: list[tuple[str, DeployError, float]], tmp_path: Path) -> RunPodCloud:
    """The client."""
    return RunPodCloud(
        "key-of-the-test", api.url, clock, lambda *retry: retries.append(retry), cache_dir=tmp_path / "cache"
    )
