"""The simulator answers with the fields that recordings have. A user's recording is dropped in beside ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runpod_sim.recording.tape import Exchange, read

from .conftest import Sim

TAPES = sorted((Path(__file__).parents[1] / "data/tapes").glob("*.json"))
POD = re.compile(r"^/v2/pods/[^/?]+$")
FREE = ("env",)
"""Objects whose names are the user's own."""


def fields(value: Any, at: str = "") -> Iterator[str]:
    """The paths of all fields; those of a list's rows are one."""
    for row in value if isinstance(value, list) else ():
        yield from fields(row, at)
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield f"{at}.{name}"
        if name not in FREE:
            yield from fields(inner, f"{at}.{name}")


def answered(sim: Sim, exchange: Exchange, pod_id: str) -> Any:
    """The simulator's answer to the same question, about a pod of its own."""
    path = f"/v2/pods/{pod_id}" if POD.match(exchange.path) else exchange.path
    return sim.call("GET", path if exchange.status == 200 else "/v2/pods/none").body


@pytest.mark.parametrize("tape", TAPES, ids=lambda path: path.stem)
def test_the_simulator_has_the_fields_of_the_recording(sim: Sim, tape: Path) -> None:
    pod = sim.ready(sim.create(cmd=["/start.sh"], mounts={"persistent": {"size": 10, "path": "/workspace"}}))
    compared = 0
    for exchange in read(tape):
        if exchange.method == "GET" and isinstance(exchange.body, dict):
            compared += 1
            lacking = set(fields(exchange.body)) - set(fields(answered(sim, exchange, pod["id"])))
            assert not lacking, (exchange.path, sorted(lacking))
    assert compared


def test_there_is_a_recording() -> None:
    assert TAPES
