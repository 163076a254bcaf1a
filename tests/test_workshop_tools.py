"""The tools around the code: make targets, workflows and the checks before a release."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.support.workshop import REPOSITORY

MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", REPOSITORY / ".github" / "pull_request_template.md"]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
WHEEL = [
    *("runpod_deploy/py.typed", "runpod_deploy/pod/scripts/guard.sh", "runpod_deploy/history/report/page.html"),
    *("runpod_sim/graphql/graph.graphql", "runpod_deploy-1.0.0.dist-info/licenses/LICENSE"),
    *("runpod_deploy-1.0.0.dist-info/entry_points.txt", "runpod_deploy/examples/finetune/finetune.yaml"),
]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """The script `.ci/release` as a module."""
    loader = SourceFileLoader("release", str(REPOSITORY / ".ci" / "release"))
    spec = importlib.util.spec_from_loader("release", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_each_target_has_a_word_in_help() -> None:
    helped = set(re.findall(r"^([a-z-]+):.* ## ", MAKEFILE, re.MULTILINE))
    assert helped >= TARGETS - {"lint-shell", "lint-workflows"}


def test_pages_and_workflows_name_targets_that_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*PAGES, *WORKFLOWS)]
    named = {
        target
        for text in texts
        for target in re.findall(r"(?:`|run: |: |^|\|\| )make ([a-z][a-z-]+)", text, re.MULTILINE)
    }
    assert named - TARGETS == set() and len(named) > 10


def test_the_devcontainer_and_workflows_name_scripts_that_exist() -> None:
    texts = [path.read_text() for path in (*WORKFLOWS, REPOSITORY / ".devcontainer" / "devcontainer.json")]
    named = {script for text in texts for script in re.findall(r"\.ci/[a-z][a-z-]+", text)}
    assert named and all((REPOSITORY / script).stat().st_mode & 0o111 for script in named)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_is_bounded_and_may_only_read(workflow: Path) -> None:
    document = yaml.safe_load(workflow.read_text())
    assert document["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in document["jobs"].values())


@pytest.mark.parametrize(
    ("line", "dated"),
    [("## [1.0.0] - 2026-12-01", True), ("## [1.0.0] - unreleased", False), ("## [1x0.0] - 2026-12-01", False)],
)
def test_a_release_needs_its_dated_part_in_the_changelog(release: ModuleType, line: str, dated: bool) -> None:
    assert release.has_date(f"# Changelog\n\n{line}\n", "1.0.0") is dated


def test_a_wheel_holds_the_packages_and_nothing_else(release: ModuleType) -> None:
    assert list(release.wrong_contents(WHEEL)) == []
    assert list(release.wrong_contents(WHEEL[1:])) == ["the wheel lacks runpod_deploy/py.typed"]
    for name in ("tests/conftest.py", "runpod_deploy/.DS_Store"):
        assert list(release.wrong_contents([*WHEEL, name])) == [f"the wheel holds {name}"]


def test_every_file_that_a_wheel_would_take_belongs_into_it(release: ModuleType) -> None:
    target = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *target["only-include"]]
    listed = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\0")
    left_out = tuple(place.removeprefix("/") for place in target["exclude"])
    names = [in_wheel(name, target["sources"]) for name in listed if name and not name.startswith(left_out)]
    assert len(names) > 300
    assert [line for line in release.wrong_contents(names) if "the wheel holds" in line] == []


def in_wheel(name: str, sources: dict[str, str]) -> str:
    """Where the wheel has this file of the repository."""
    [(folder, instead)] = [(old, new) for old, new in sources.items() if name.startswith(f"{old}/")]
    return f"{instead}{name.removeprefix(folder)}".removeprefix("/")


def test_the_version_is_found(release: ModuleType) -> None:
    assert release.version_in(REPOSITORY / "src" / "runpod_deploy" / "__init__.py")
