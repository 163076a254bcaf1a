"""The troubleshooting page explains every kind of failure, and quotes only texts that the program prints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import click
import pytest

from runpod_deploy.cli import COMMANDS, cli
from runpod_deploy.errors import FAILURE_KINDS
from tests.support.workshop import REPOSITORY

PAGE = (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
QUOTED = re.compile(r'^\* "(.+?)":', re.MULTILINE)
TYPED = re.compile(r"`(runpod-deploy )?([a-z][a-z-]+)((?: [^`]*)?)`")


def texts(node: ast.AST) -> Iterator[str]:
    """Every text below the node but docstrings, with `…` for what is filled in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in child.values)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        else:
            yield from texts(child)


MODULES = (REPOSITORY / "src/runpod_deploy").rglob("*.py")
SAID = [text for path in MODULES for text in texts(ast.parse(path.read_text()))]


@pytest.mark.parametrize("kind", FAILURE_KINDS)
def test_each_kind_of_failure_has_its_entry(kind: str) -> None:
    parts = re.findall(r"^\*\*(\w+)\.\*\* ", ENTRIES[kind], re.MULTILINE)
    assert parts == ["Symptom", "Diagnosis", "Fix"]


@pytest.mark.parametrize("words", QUOTED.findall(PAGE))
def test_what_the_page_quotes_is_said(words: str) -> None:
    assert any(words in text for text in SAID)


def test_the_page_quotes_much() -> None:
    assert len(QUOTED.findall(PAGE)) > 10


def test_what_a_text_tells_people_to_type_exists() -> None:
    calls = [call for text in SAID for call in TYPED.findall(text)]
    assert len([name for ours, name, _ in calls if ours]) > 10
    assert [name for ours, name, _ in calls if ours and name not in COMMANDS] == []
    known = [(name, rest) for _, name, rest in calls if name in COMMANDS]
    assert [(name, rest) for name, rest in known if not set(options_in(rest)) <= options_of(name)] == []


def options_in(words: str) -> list[str]:
    """The options of a call."""
    return re.findall(r"--[a-z-]+", words)


def options_of(name: str) -> set[str]:
    """The options that a command takes."""
    command = cli.get_command(click.Context(cli), name)
    assert command
    return {spelling for parameter in command.params for spelling in parameter.opts}
