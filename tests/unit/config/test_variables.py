"""Variables from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.config import load, parse_variables
from runpod_deploy.errors import ConfigError, UsageError

from .conftest import Write


def test_pairs_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "vars.json"
    path.write_text('\ufeff{"a": "1", "b": "ü\\ud83d\\ude00", "c": ""}', encoding="utf-8")
    assert parse_variables(("a=x=y", "d=", "a=2"), path) == {"a": "2", "b": "ü😀", "c": "", "d": ""}


@pytest.mark.parametrize("pair", ["a", "=x", "a-b=x", "1=x", "a b=x", "", "a=\0"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(UsageError):
        parse_variables((pair,), None)


def test_mistakes_of_a_file_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "vars.json"
    path.write_text('{\n  "seed": 42,\n\t"ok": "1",\n  "a-b": "x",\n  "ok": "2",\n  "deep": {"seed": "1"}\n}\n')
    with pytest.raises(ConfigError) as caught:
        parse_variables((), path)
    assert caught.value.message.splitlines() == [
        f"{path}: 4 mistakes",
        f'{path}:2: seed: must be text; put it in quotes: "42"',
        f"{path}:4: a-b: must be a name of letters, digits and _",
        f"{path}:5: ok: is given twice",
        f"{path}:6: deep: must be text, got an object",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ":1: not valid JSON"),
        ('{"a": }', ":1: not valid JSON"),
        ('["a"]', ':1: must be an object such as {"seed": "7"}'),
        ('"a"', ":1: must be an object"),
        ("[]", ":1: must be an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 10_000 + "}", "nested too deeply, or a number is too long"),
        (" " * 1_000_001, "is larger than"),
    ],
)
def test_what_is_no_object_of_texts_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "vars.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r".+") as caught:
        parse_variables((), path)
    assert words in caught.value.message


def test_an_empty_object_holds_no_variables(tmp_path: Path) -> None:
    path = tmp_path / "vars.json"
    path.write_text("{}")
    assert parse_variables((), path) == {}


def test_a_mistyped_name_is_noticed(plain: dict[str, Any], write: Write) -> None:
    plain["variables"] = {"seed": "1"}
    (finding,) = load(write(plain), cli_variables={"sede": "2"}).findings
    assert str(finding) == "--var: the file declares no variable sede; did you mean `seed`?"


def test_a_name_that_was_typed_and_changes_nothing_is_a_mistake(plain: dict[str, Any], write: Write) -> None:
    plain["variables"] = {"seed": "1", "fold": "2"}
    with pytest.raises(ConfigError, match="the file declares no variable sede; did you mean `seed`"):
        load(write(plain), cli_variables=parse_variables(("sede=2",), None))
    with pytest.raises(ConfigError, match="the file declares no variable x; its variables are: seed, fold"):
        load(write(plain), cli_variables=parse_variables(("x=2",), None))
    plain["name"] = "x-{x}"
    assert load(write(plain), cli_variables=parse_variables(("x=2",), None)).name == "x-2"


def test_a_name_that_only_the_command_line_knows_is_fine(plain: dict[str, Any], write: Write) -> None:
    plain["name"] = "x-{fold}"
    draft = load(write(plain), cli_variables={"fold": "3"})
    assert (draft.name, draft.findings) == ("x-3", ())


def test_a_wrong_template_from_the_command_line_is_named_so(plain: dict[str, Any], write: Write) -> None:
    with pytest.raises(ConfigError, match=r"^--var: a: unknown name \{nothing_like_it\}"):
        load(write(plain), cli_variables={"a": "{nothing_like_it}"})
