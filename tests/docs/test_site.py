"""The site builds without a warning, so every link and anchor resolves. No command, field or picture is missing."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from runpod_deploy.cli import COMMANDS, cli
from runpod_sim.cli.commands import cli as simulator
from tests.docs import blocks
from tests.support.workshop import REPOSITORY

DOCS = REPOSITORY / "docs"
PROSE = [page for page in DOCS.rglob("*.md") if "reference" not in page.parts]


def test_links_resolve_and_each_command_has_its_place(site: Path) -> None:
    page = (site / "reference" / "commands.html").read_text()
    assert [name for name in COMMANDS if f'id="{name}"' not in page] == []


def test_help_reads_as_prose_with_what_people_type_as_it_is_typed(site: Path) -> None:
    page = (site / "reference" / "commands.html").read_text()
    assert page.count("<pre>") == page.count("<h2>") > 20, "of each command, its usage is code, and nothing else"
    assert "<code" in page.partition("Print ")[2].partition("on stdout, first of all")[0]
    assert [str(html) for html in site.rglob("*.html") if re.search(r"–\w", html.read_text())] == []


def test_each_field_has_its_place(site: Path) -> None:
    page = (site / "reference" / "config.html").read_text()
    assert re.search(r"cost_cap_usd.*?number &gt; 0.*?10\.0", page, re.DOTALL)


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text())
        assert fetched == [], page


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(DOCS)))
def test_named_commands_exist(page: Path) -> None:
    named = set(re.findall(r"runpod-deploy ([a-z][a-z-]+)", page.read_text()))
    assert named <= set(COMMANDS), named - set(COMMANDS)


OTHER_TOOLS = re.compile(r"\b(uv|snakemake) ")
"""Commands of others, whose options are their own."""


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(DOCS)))
def test_named_options_exist(page: Path) -> None:
    spoken = re.findall(r"`[^`\n]+`", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL))
    named = {
        option
        for words in spoken
        if not OTHER_TOOLS.search(words)
        for option in re.findall(r"(?<!\S|\w)--[a-z-]+", words[1:-1])
    }
    known = options(cli) | options(simulator) | {"--help"}
    if page.parent.name == "recipes":  # their scripts have options, too
        shown = re.findall(r"^```\{literalinclude\} (\S+)$", page.read_text(), re.MULTILINE)
        known |= {option for file in shown for option in re.findall(r"--[a-z-]+", (page.parent / file).read_text())}
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


def test_each_picture_is_shown() -> None:
    shown = {
        Path(name).name for page in blocks.PAGES for name in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text())
    }
    assert {path.name for path in (DOCS / "images").iterdir()} == shown


OUTSIDE = [page for page in blocks.PAGES if not page.is_relative_to(DOCS)] + sorted(REPOSITORY.glob("*.md"))


@pytest.mark.parametrize("page", sorted(set(OUTSIDE)), ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_outside_the_site_resolve(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    # Pages that are made from the code are there only once the site was built.
    missing = [target for target in local if not (page.parent / target).exists() and "docs/reference" not in target]
    assert missing == []
