"""Templates: what is ours is replaced, what is the shell's survives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.spec.templates import (
    CycleError,
    TooLongError,
    UnknownNameError,
    likely_typos,
    render,
    render_shell,
    resolve,
)

NAMES = st.sampled_from(["seed", "out", "remote_repo", "größe", "_x"])
VALUES = st.dictionaries(NAMES, st.text().filter(lambda text: not set(text) & set("{}$")), min_size=1)
# What users write in shell bodies, with braces that are not ours.
FOREIGN = st.sampled_from(
    [
        "${HOME}",
        "${VAR:-x}",
        "${A[@]}",
        "${#v}",
        "{a,b}",
        "{1..5}",
        "{print $1}",
        "{print}",
        "{tr:.5f}",
        "{{x}}",
        "{}",
        "{ }",
        '{"a": 1}',
        "}{",
        "{",
        "}",
        "f'{loss!r}'",
        "{0}",
        "${seed}",
        "{{seed}}",
    ]
)
PLAIN = st.text().filter(lambda text: not set(text) & set("{}$"))


@given(st.text(), VALUES)
def test_text_without_a_known_name_survives_unchanged(text: str, values: dict[str, str]) -> None:
    if not any(f"{{{name}}}" in text for name in values):
        assert render_shell(text, values) == text


@given(st.lists(FOREIGN | PLAIN), VALUES)
def test_shell_idioms_survive_whatever_is_declared(pieces: list[str], values: dict[str, str]) -> None:
    text = " ".join(pieces)
    assert render_shell(text, values) == text


@given(st.lists(FOREIGN | PLAIN | NAMES.map("{{{}}}".format)), VALUES)
def test_rendering_twice_is_rendering_once(pieces: list[str], values: dict[str, str]) -> None:
    once = render_shell(" ".join(pieces), values)
    assert render_shell(once, values) == once


@given(st.lists(PLAIN | NAMES.map("{{{}}}".format)))
def test_known_names_are_replaced_and_nothing_else(pieces: list[str]) -> None:
    values = {"seed": "7", "out": "/o ut", "remote_repo": "ü'\"\n", "größe": "", "_x": "$(x)"}
    expected = "|".join(values.get(piece[1:-1], piece) if piece.startswith("{") else piece for piece in pieces)
    assert render("|".join(pieces), values) == expected
    assert render_shell("|".join(pieces), values) == expected


def resolved(templates: dict[str, str], constants: dict[str, str]) -> dict[str, str]:
    """Every name's value."""
    values = dict(constants)
    for name in templates:
        resolve(name, templates, values)
    return values


@given(st.permutations(["a", "b", "c", "d"]))
def test_definitions_may_stand_in_any_order(order: list[str]) -> None:
    templates = {"a": "{b}-{c}", "b": "{c}/{k}", "c": "{d}{d}", "d": "1"}
    values = resolved({name: templates[name] for name in order}, {"k": "{not a template}"})
    assert values == {"a": "11/{not a template}-11", "b": "11/{not a template}", "c": "11", "d": "1"} | {
        "k": "{not a template}"
    }


def test_chains_may_be_longer_than_the_interpreter_recurses() -> None:
    chain = {f"v{i}": f"{{v{i + 1}}}" for i in range(3000)} | {"v3000": "end"}
    assert set(resolved(chain, {}).values()) == {"end"}


@pytest.mark.parametrize(
    "templates",
    [{"a": "{a}"}, {"a": "{b}", "b": "x{a}"}, {"a": "{b}", "b": "{c}", "c": "{d}", "d": "{b}"}],
)
def test_circles_are_errors(templates: dict[str, str]) -> None:
    with pytest.raises(CycleError, match="refers to itself"):
        resolved(templates, {})


def test_an_unknown_name_tells_where_it_was_found() -> None:
    with pytest.raises(UnknownNameError) as caught:
        resolved({"a": "{b}", "b": "{sead}"}, {"seed": "1"})
    assert (caught.value.name, caught.value.where) == ("sead", "b")


def test_values_that_double_each_other_are_stopped() -> None:
    bomb = {f"v{i}": f"{{v{i + 1}}}{{v{i + 1}}}" for i in range(60)} | {"v60": "x"}
    with pytest.raises(TooLongError):
        resolved(bomb, {})


def test_a_name_beside_other_braces_is_ours() -> None:
    assert render_shell("{{seed}:1} ${HOME}{seed}} '{\"seed\":{seed}}'", {"seed": "7"}) == (
        "{7:1} ${HOME}7} '{\"seed\":7}'"
    )


def test_near_misses_are_found_and_far_ones_left_alone() -> None:
    text = "echo {sead} ${sead} {{sead}} {print} {seed}"
    assert list(likely_typos(text, ["seed", "out"])) == [(5, "sead", "seed")]
