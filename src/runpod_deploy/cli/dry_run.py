"""`run --dry-run` and `--offline-dry-run`: the plan of a run on stdout."""

from __future__ import annotations

from dataclasses import asdict

from ..cloud.protocol import Cloud
from ..config.settings import environment
from ..forecast.outlook import look_ahead, refuse_missing
from ..forecast.plan import as_lines, plan
from ..spec import Spec
from ..terminal.output import print_json, print_lines


def print_plan(spec: Spec, cloud: Cloud | None, *, as_json: bool = False) -> None:
    """stdout has the plan of the run. Without a cloud, the network is not used.

    Raises the errors of the run itself that can be known now: ConfigError, StockOut, AuthRefused.
    """
    outlook = look_ahead(spec, cloud, environment())
    steps = plan(spec, outlook)
    if as_json:
        print_json({"run_id": spec.run_id, "phases": [asdict(step) for step in steps]})
    else:
        print_lines(as_lines(spec, steps))
    refuse_missing(spec, outlook)
