"""What a person says about a run: from the command line of `run`, or later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.cli.tagging import parse_tags
from runpod_deploy.errors import UsageError
from runpod_deploy.record.notes import Notes, changed, notes_of, write_notes
from tests.support.worlds import Memory


def test_the_words_of_the_run_count_until_others_are_written(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    spec = replace(world.spec, tags={"lr": "0.1"}, note="first try")
    assert notes_of(spec, world.dir) == Notes({"lr": "0.1"}, "first try")
    write_notes(world.dir, Notes({}, "better"))
    assert notes_of(spec, world.dir) == Notes({}, "better")
    world.dir.notes.write_text("no JSON")
    assert notes_of(spec, world.dir).note == "first try"


def test_a_tag_without_a_value_is_removed_and_the_note_stays() -> None:
    notes = changed(Notes({"a": "1", "b": "2"}, "text"), {"a": "", "c": "3"}, None)
    assert notes == Notes({"b": "2", "c": "3"}, "text")
    assert changed(notes, {}, "").note == ""


def test_tags_are_read_from_the_command_line() -> None:
    assert parse_tags(["paper=iclr", "keep", "gone=", "eq=a=b"]) == {
        "paper": "iclr", "keep": "yes", "gone": "", "eq": "a=b",
    }  # fmt: skip


@pytest.mark.parametrize("pair", ["=x", "a b=c", "x" * 61, "k=" + "v" * 3000, "k=\0"])
def test_what_is_no_tag_is_refused(pair: str) -> None:
    with pytest.raises(UsageError):
        parse_tags([pair])
