"""Each pitfall of the sweep page is real: the broken form loses a failure, and the correct form does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.workshop import Workshop, open_workshop

PITFALLS = "recipes/sweep/pitfalls"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop with a config whose run fails at its first check, before it needs a cloud."""
    opened = open_workshop(tmp_path)
    (opened.dir / "fails.yaml").write_text(
        "extends: examples/hello/hello.yaml\n"
        "variables: {seed: none}\n"
        "local: {project_root: ., required_paths: [not-there]}\n"
    )
    return opened


@pytest.mark.parametrize(("script", "exit_code"), [("pipefail-broken.sh", 0), ("pipefail.sh", 2)])
def test_pipe(workshop: Workshop, script: str, exit_code: int) -> None:
    assert workshop.run(f"{PITFALLS}/{script}", "fails.yaml", env=KEY).returncode == exit_code


@pytest.mark.parametrize(("script", "waits"), [("wait-broken.sh", False), ("wait.sh", True)])
def test_wait(workshop: Workshop, script: str, waits: bool) -> None:
    done = workshop.run(f"{PITFALLS}/{script}", "fails.yaml", "fails.yaml", "fails.yaml", env=KEY)
    assert done.returncode == (1 if waits else 2), "the count of failures, or the first of them"
    assert ("3 runs waited for" in done.stdout) is waits


@pytest.mark.parametrize(("script", "exit_code", "failed"), [("subshell-broken.sh", 0, 0), ("subshell.sh", 1, 2)])
def test_subshell(workshop: Workshop, script: str, exit_code: int, failed: int) -> None:
    done = workshop.run(f"{PITFALLS}/{script}", "fails.yaml", "fails.yaml", env=KEY)
    assert done.returncode == exit_code
    assert f"failed: {failed}" in done.stdout


@pytest.mark.parametrize(("script", "right"), [("newest-broken.sh", False), ("newest.sh", True)])
def test_newest(workshop: Workshop, script: str, right: bool) -> None:
    done = workshop.run(f"{PITFALLS}/{script}", "fails.yaml", env=KEY)
    named = re.search(r"^first: (.+?)/?$", done.stdout, re.MULTILINE)
    assert named, done.stdout
    spec = (workshop.dir / named[1] / "spec.json").read_text()
    assert ('"seed": "first"' in spec) is right


KEY = {"RUNPOD_API_KEY": "no-cloud-is-asked", "RUNPOD_API_BASE_URL": "http://127.0.0.1:9"}
