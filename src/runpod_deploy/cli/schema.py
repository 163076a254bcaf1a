"""`schema`: the JSON Schema of config files."""

from __future__ import annotations

import click

from ..config.json_schema import editor_schema
from ..terminal.output import print_json
from .options import output_options


@click.command
@output_options
def schema() -> None:
    """Print the JSON Schema of config files, for editors.

    Save it beside your configs, and begin each config with the line
    `# yaml-language-server: $schema=runpod-deploy.schema.json`.
    """
    print_json(editor_schema())
