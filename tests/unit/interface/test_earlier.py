"""Every name of the earlier tool's interface is there, or docs/migration.md says what became of it."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from runpod_deploy.cli import cli
from runpod_deploy.config.json_schema import editor_schema
from runpod_deploy.record.events import EVENT_KINDS
from runpod_deploy.record.manifest import TELEMETRY_FILES, manifest
from runpod_deploy.record.paths import LOG_NAME, MANIFEST_NAME
from tests.support.workshop import REPOSITORY
from tests.support.worlds import Memory

EARLIER: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("earlier.toml").read_text())
PAGE = (REPOSITORY / "docs/migration.md").read_text()
SCHEMA = editor_schema()


def flags_of(name: str) -> set[str]:
    """The flags that a command has."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"there is no command {name}"
    return {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}


def properties(section: str) -> dict[str, Any]:
    """The fields of a section in the schema for editors; of the items, if it is a list."""
    found = resolved(SCHEMA)
    if section:
        found = resolved(found["properties"][section])
    if "items" in found:
        found = resolved(found["items"])
    fields: dict[str, Any] = found["properties"]
    return fields


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference leads to, and the one of several that is no null."""
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if options:
        return resolved(options[0])
    if "$ref" in schema:
        return resolved(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    return schema


@pytest.mark.parametrize("name", EARLIER["commands"])
def test_commands_have_their_flags(name: str) -> None:
    both = {"-v", "--verbose", "-q", "--quiet"}
    missing = {*EARLIER["commands"][name].split(), *both} - flags_of(name)
    assert missing == set()


@pytest.mark.parametrize("section", EARLIER["fields"])
def test_sections_have_their_fields(section: str) -> None:
    assert set(EARLIER["fields"][section].split()) - properties(section).keys() == set()


@pytest.mark.parametrize("name", EARLIER["events"])
def test_events_have_their_fields(name: str) -> None:
    # Rows have the pod, its GPU and its datacenter in any case, once they are known.
    common = {"pod_id", "gpu_id", "datacenter_id"}
    fields = {field.name.rstrip("_") for field in dataclasses.fields(EVENT_KINDS[name])}
    assert set(EARLIER["events"][name].split()) - fields - common == set()


def test_a_run_folder_has_its_files() -> None:
    assert set(EARLIER["files"]["run_dir"].split()) == {*TELEMETRY_FILES, LOG_NAME, MANIFEST_NAME}


def test_a_manifest_begins_with_its_fields_in_their_order(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    made = manifest(world.spec, world.open().state, now=world.clock.now(), log=None, files=[])
    fields = EARLIER["files"]["manifest"].split()
    assert list(made)[: len(fields)] == fields


@pytest.mark.parametrize("name", [*EARLIER["commands"], *EARLIER["files"]["run_dir"].split()])
def test_the_page_for_those_who_switch_names_it(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_each_recipe_has_its_page() -> None:
    assert [name for name in EARLIER["recipes"]["names"].split() if f"| {name} | [" not in PAGE] == []
