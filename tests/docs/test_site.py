"""The site builds without a warning: every link and anchor resolves. And it leaves out no command and no failure."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from runpod_deploy.cli import COMMANDS, cli
from runpod_deploy.errors import KINDS
from runpod_sim.cli import cli as simulator
from tests.docs import blocks
from tests.workshop import REPOSITORY

DOCS = REPOSITORY / "docs"
PROSE = [page for page in DOCS.rglob("*.md") if "reference" not in page.parts]


def test_links_resolve_and_each_command_has_its_place(site: Path) -> None:
    page = (site / "reference" / "commands.html").read_text()
    assert [name for name in COMMANDS if f'id="{name}"' not in page] == []


def test_each_field_has_its_place(site: Path) -> None:
    page = (site / "reference" / "config.html").read_text()
    assert re.search(r"cost_cap_usd.*?number &gt; 0.*?10\.0", page, re.DOTALL)


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text())
        assert fetched == [], page


def test_each_kind_of_failure_has_its_entry() -> None:
    text = (DOCS / "troubleshooting.md").read_text()
    entries = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert [kind for kind in KINDS if kind not in entries] == []
    for kind in KINDS:
        for part in ("**Symptom.**", "**Diagnosis.**", "**Fix.**"):
            assert part in entries[kind], kind


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(DOCS)))
def test_named_commands_exist(page: Path) -> None:
    named = set(re.findall(r"runpod-deploy ([a-z][a-z-]+)", page.read_text()))
    assert named <= set(COMMANDS), named - set(COMMANDS)


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(DOCS)))
def test_named_options_exist(page: Path) -> None:
    spoken = re.findall(r"`[^`\n]+`", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL))
    named = {
        option for words in spoken if "uv " not in words for option in re.findall(r"(?<!\S|\w)--[a-z-]+", words[1:-1])
    }
    known = options(cli) | options(simulator) | {"--help"}
    assert named <= known, named - known


def options(command: click.Command) -> set[str]:
    """Every option of a command, and of those below it."""
    found = {spelling for parameter in command.params for spelling in parameter.opts}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            found |= options(below) if below else set()
    return found


OUTSIDE = [page for page in blocks.PAGES if not page.is_relative_to(DOCS)] + sorted(REPOSITORY.glob("*.md"))


@pytest.mark.parametrize("page", sorted(set(OUTSIDE)), ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_outside_the_site_resolve(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    # Pages that are made from the code are there only once the site was built.
    missing = [target for target in local if not (page.parent / target).exists() and "docs/reference" not in target]
    assert missing == []
