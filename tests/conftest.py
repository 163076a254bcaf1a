"""What holds for every test: nobody's account, nobody's home, no network but this machine's own."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.all_ran import pytest_addoption, pytest_configure

__all__ = ["pytest_addoption", "pytest_configure"]  # hooks of pytest, which takes them from here

# Modes of files are compared with those of an ordinary account; some accounts make files that their group may write.
os.umask(0o022)

# The suite tries the same examples each time, so that a failure is of the change and not of the day; a hunt for new
# ones is `pytest --hypothesis-profile=default`.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")

# With a key and the wish to pay, the contract suite asks RunPod itself: `make live`.
LIVE = os.environ.get("RUNPOD_LIVE") == "1"


def refuse_strangers(event: str, args: tuple[Any, ...]) -> None:
    """Raises on a connection to anything but loopback."""
    if event == "socket.connect" and isinstance(args[1], tuple) and not is_loopback(str(args[1][0])):
        raise AssertionError(f"a test tried to reach {args[1]}")


def is_loopback(host: str) -> bool:
    """Whether the address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


# Workers take one test at a time, the long ones first: none is left with a long one when the others are done.
LONG = ("acceptance", "chaos", "recipes", "end_to_end", "docs", "examples", "contract", "pod_scripts")
LONGEST = ("never_confirmed", "unreachable_api", "resets", "15-provision", "guard_ended")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests stand first."""
    items.sort(key=lambda item: (not any(name in item.nodeid for name in LONGEST), room(item)))


def room(item: pytest.Item) -> int:
    """Where the test's folder stands among those with long tests."""
    folder = item.nodeid.split("/")[1] if item.nodeid.count("/") else ""
    return LONG.index(folder) if folder in LONG else len(LONG)


if not LIVE:
    sys.addaudithook(refuse_strangers)


@pytest.fixture(autouse=True)
def nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the test, which is empty; nothing of the caller's own account is in the environment."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith(("RUNPOD_", "XDG_"))]:
        if not LIVE:
            monkeypatch.delenv(name)
    return home
