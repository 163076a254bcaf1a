"""`schema`: the JSON Schema of config files."""

from __future__ import annotations

import json

import click

from ..config.json_schema import editor_schema
from .output import output_options


@click.command()
@output_options
def schema() -> None:
    """Print the JSON Schema of config files, for editors.

    Save it beside your configs and begin each with the line
    `# yaml-language-server: $schema=runpod-deploy.schema.json`.
    """
    click.echo(json.dumps(editor_schema(), indent=2, ensure_ascii=False))
