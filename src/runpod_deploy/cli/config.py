"""`config show`: every value of a config as a run would use it, and its origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..config import load, parse_variables
from ..spec.plain import to_plain
from ..terminal.output import print_json, print_lines
from .options import config_option, json_option, output_options, variable_options


@click.group()
def config() -> None:
    """Show configs."""


@config.command(short_help="Print every value of a config and its origin.")
@config_option
@variable_options
@click.option("--defaults/--no-defaults", default=True, help="With or without values that are not set anywhere.")
@json_option
@output_options
def show(config: Path, var: tuple[str, ...], vars_file: Path | None, defaults: bool, as_json: bool) -> None:
    """Print the rendered config with the origin of every value. The run's id and folder are not known yet."""
    draft = load(config, cli_variables=parse_variables(var, vars_file))
    spec = draft.trial
    values = dict(leaves(to_plain(spec.job), ""))
    values.update({f"variables.{name}": value for name, value in spec.variables.items()})
    rows = {path: (value, spec.origins.get(path, "default")) for path, value in values.items()}
    shown = {path: row for path, row in rows.items() if defaults or row[1] != "default"}
    if as_json:
        print_json({p: {"value": v, "origin": o} for p, (v, o) in shown.items()})
        return
    print_lines(
        f"{path} = {json.dumps(value, ensure_ascii=False)}  # {origin}" for path, (value, origin) in shown.items()
    )


def leaves(plain: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Dotted path and value of every single value."""
    if isinstance(plain, dict) and plain:
        for key, value in plain.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(plain, list) and plain:
        for i, value in enumerate(plain):
            yield from leaves(value, f"{path}[{i}]")
    else:
        yield path, plain
