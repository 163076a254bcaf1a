"""The allowed versions: none with an advisory that was known when this was written, and none above the pins."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

import pytest

from tests.support.workshop import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
LISTED = [*PROJECT["dependencies"], *chain.from_iterable(PROJECT["optional-dependencies"].values())]
FLOORS = dict(found for text in LISTED for found in re.findall(r"^([\w.-]+)>=([\d.]+)$", text))
PINS = dict(
    line.lower().replace("_", "-").split("==", 1) for line in (REPOSITORY / "constraints.txt").read_text().split()
)
FIXED_IN = {
    "urllib3": "2.6.3",  # CVE-2025-66418, CVE-2025-66471, CVE-2026-21441: bodies that unfold without end
    "filelock": "3.20.3",  # CVE-2025-68146, CVE-2026-22701: links in place of the lock file
    "aiohttp": "3.13.3",  # CVE-2025-69223 and others: bodies that unfold without end
    "jinja2": "3.1.6",  # CVE-2025-27516: out of the sandbox
    "requests": "2.32.4",  # CVE-2024-47081: credentials of .netrc
    "python-dotenv": "1.2.2",  # CVE-2026-28684: a link in place of the file that is changed
    "cryptography": "46.0.5",  # CVE-2026-26007: keys on weak curves
    "pyyaml": "5.4",  # CVE-2020-14343: code in a document
}


def version(text: str) -> tuple[int, ...]:
    """The numbers of a version."""
    return tuple(map(int, re.findall(r"\d+", text)))


@pytest.mark.parametrize("name", FIXED_IN)
def test_the_oldest_allowed_version_has_no_known_advisory(name: str) -> None:
    assert version(FLOORS[name]) >= version(FIXED_IN[name])


@pytest.mark.parametrize("name", FLOORS)
def test_what_is_pinned_is_allowed(name: str) -> None:
    assert version(PINS[name.lower()]) >= version(FLOORS[name])
