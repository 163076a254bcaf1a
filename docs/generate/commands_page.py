"""The command reference as Markdown. Knows click's tree of commands; knows nothing of what they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from runpod_deploy.cli import cli

INTRODUCTION = """\
# Commands

This page is made from the program's own help: `runpod-deploy COMMAND --help` says the same. stdout is for data,
stderr for talk. What the exit codes mean stands in [Exit codes](exit-codes.md).
"""


def page() -> str:
    """One part for each command, in the order of the program's help."""
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
    """Click's own marks (`\\b`: keep these lines) taken out."""
    return text.replace("\b\n", "").replace("\f", "").strip()


def table(parameters: list[dict[str, Any]]) -> Iterator[str]:
    """One line an option or argument; nothing if there are none."""
    shown = [one for one in parameters if not one.get("hidden")]
    if not shown:
        return
    yield ""
    yield "| option | meaning |"
    yield "|---|---|"
    for one in shown:
        yield f"| {names(one)} | {meaning(one)} |"


def names(parameter: dict[str, Any]) -> str:
    """All spellings, with the kind of value that follows."""
    if parameter["param_type_name"] == "argument":
        return f"`{parameter['name'].upper()}`"
    spellings = ", ".join(f"`{one}`" for one in [*parameter["opts"], *parameter["secondary_opts"]])
    return spellings if parameter["is_flag"] else f"{spellings} {value_of(parameter)}"


def value_of(parameter: dict[str, Any]) -> str:
    """The placeholder of the option's value, or its choices."""
    choices = parameter["type"].get("choices")
    if choices:
        return " \\| ".join(f"`{choice}`" for choice in choices)
    return f"`{parameter['type']['name'].upper()}`"


def meaning(parameter: dict[str, Any]) -> str:
    """The help text on one line, with what makes the option special."""
    text = " ".join((parameter.get("help") or "").split()).replace("|", "\\|")
    marks = ["required"] * parameter["required"] + ["may be repeated"] * bool(parameter["multiple"])
    return f"{text} ({', '.join(marks)})" if marks else text
