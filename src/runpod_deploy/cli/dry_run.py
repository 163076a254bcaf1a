"""`run --dry-run` and `--offline-dry-run`: the plan of a run on stdout."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import click

from ..cloud.protocol import Cloud
from ..forecast.outlook import look_ahead, refuse_missing
from ..forecast.plan import as_text, plan
from ..spec import Spec


def print_plan(spec: Spec, cloud: Cloud | None, *, as_json: bool = False) -> None:
    """What the run would do is on stdout. Without a cloud nothing is asked of the network.

    Raises what the run itself would raise for what can be known now: ConfigError, StockOut, AuthRefused.
    """
    outlook = look_ahead(spec, cloud, os.environ)
    steps = plan(spec, outlook)
    if as_json:
        document = {"run_id": spec.run_id, "phases": [asdict(step) for step in steps]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(as_text(spec, steps))
    refuse_missing(spec, outlook)
