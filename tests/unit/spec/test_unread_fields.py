"""A field of the YAML file that nothing reads says so to whoever would set it."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

import runpod_deploy
from runpod_deploy import spec
from runpod_deploy.config.field_docs import field_docs

SECTIONS = [getattr(spec, name) for name in spec.__all__ if name.endswith("Spec")]


@pytest.fixture(scope="module")
def attributes() -> set[str]:
    """The names of all attributes that the product's code reads."""
    sources = Path(runpod_deploy.__file__).parent.rglob("*.py")
    nodes = (node for source in sources for node in ast.walk(ast.parse(source.read_text())))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_a_field_that_nothing_reads_says_that_it_is_kept_for_old_files(section: type, attributes: set[str]) -> None:
    docs = field_docs(section)
    unread = [field.name for field in fields(section) if field.name not in attributes]

    assert [name for name in unread if not docs[name].startswith("Kept for old files.")] == []
