"""The command reference as Markdown. Knows click's tree of commands; knows nothing about what they do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click

from runpod_deploy.cli import cli

INTRODUCTION = """\
# Commands

This page is made from the program's own help: `runpod-deploy COMMAND --help` prints the same text. Commands print data
on stdout and messages on stderr. [Exit codes](exit-codes.md) explains the exit codes.
"""

# Options and placeholders such as `--wait` or `RUN_DIR=<path>`, unless they are already in backquotes.
TYPED = re.compile(r"(?<![\w`-])(--[a-z][a-z-]*|\w+=<\w+>)(?![\w`])")


def page() -> str:
    """The page: one part for each command, in the order of the program's help."""
    root = click.Context(cli, info_name="runpod-deploy")
    parts = [INTRODUCTION]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is not None and not command.hidden:
            parts += ["", *section(command, click.Context(command, parent=root, info_name=name))]
    return "\n".join(parts) + "\n"


def section(command: click.Command, context: click.Context) -> Iterator[str]:
    """Heading, usage, help text and parameters of a command; then those of the commands below it."""
    yield f"## {context.command_path.removeprefix('runpod-deploy ')}"
    yield ""
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
    yield ""
    yield prose(command.help or "")
    yield from table([parameter.to_info_dict() for parameter in command.params])
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield ""
            yield from section(below, click.Context(below, parent=context, info_name=name))


def prose(text: str) -> str:
    """The text without click's own marks (`\\b`: keep these lines) and without indentation."""
    return marked(inspect.cleandoc(text.replace("\b\n", "").replace("\f", "")))


def marked(text: str) -> str:
    """The text, with options and placeholders as code."""
    return TYPED.sub(r"`\1`", text)


def table(parameters: list[dict[str, Any]]) -> Iterator[str]:
    """One row for each option; nothing if there are none. Arguments are in the usage already."""
    shown = [one for one in parameters if one["param_type_name"] == "option" and not one.get("hidden")]
    if not shown:
        return
    yield ""
    yield "| option | meaning |"
    yield "|---|---|"
    for one in shown:
        yield f"| {names(one)} | {meaning(one)} |"


def names(parameter: dict[str, Any]) -> str:
    """All spellings of the option, with the kind of its value."""
    spellings = ", ".join(f"`{one}`" for one in [*parameter["opts"], *parameter["secondary_opts"]])
    return spellings if parameter["is_flag"] else f"{spellings} {value_of(parameter)}"


def value_of(parameter: dict[str, Any]) -> str:
    """The placeholder of the option's value, or its choices."""
    choices = parameter["type"].get("choices")
    if choices:
        return " \\| ".join(f"`{choice}`" for choice in choices)
    return f"`{parameter['type']['name'].upper()}`"


def meaning(parameter: dict[str, Any]) -> str:
    """The help text on one line, with "required" and "may be repeated"."""
    text = marked(" ".join((parameter.get("help") or "").split()).replace("|", "\\|"))
    marks = ["required"] * parameter["required"] + ["may be repeated"] * bool(parameter["multiple"])
    said = [mark for mark in marks if mark not in text]
    return f"{text} ({', '.join(said)})" if said else text
