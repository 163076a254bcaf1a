"""A tree of runs that really were, on one simulated cloud, beside run dirs in the formats of old. Judges nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.acceptance.fates import Fate, Lived, Stage
from tests.support.harness import Simulator
from tests.transcripts import run_dirs

POWERED = ("PROVISIONING", "STARTING", "RUNNING")
GUARDED_WITHIN_S = 180.0


@dataclass(frozen=True)
class Tree:
    """What there is to read, and what is known of it without reading."""

    sim: Simulator
    root: Path
    runs: list[Lived]

    @property
    def project(self) -> Path:
        """Where the runs of the simulated cloud are."""
        return self.root / "project"

    @property
    def run_dirs(self) -> list[Path]:
        """Every run dir of that project, oldest first."""
        return sorted((self.project / "artifacts" / "runpod").glob("[!.]*"))

    def pods(self) -> dict[str, dict[str, Any]]:
        """By its id, what the cloud knows of each pod that ever was."""
        inside = {pod["id"]: pod for pod in self.sim.control("GET", "pods")["pods"]}
        return {row["id"]: {**inside[row["id"]], **row} for row in self.sim.ledger["pods"]}


def grow(sim: Simulator, root: Path, fates: Sequence[Fate], *, count: int, at_once: int) -> Tree:
    """A tree with so many runs, or a few more. Returns once no pod is up that somebody should have ended."""
    sim.control("PUT", "stock", {"count": 64})
    sim.control("PUT", "quota", {"per_minute": 6000})
    with ThreadPoolExecutor(at_once) as pool:
        played = [pool.submit(play, sim, root / "project", *turn) for turn in turns(fates, count)]
        runs = [lived for one in played for lived in one.result()]
    run_dirs.build(root / "old")
    await_guards(sim)
    return Tree(sim, root, runs)


def turns(fates: Sequence[Fate], count: int) -> Iterator[tuple[Fate, int]]:
    """Each fate in its turn, until there are as many runs; the slow ones of each round first."""
    slow_first = sorted(fates, key=lambda fate: not fate.slow)
    for number, fate in enumerate(cycle(slow_first)):
        if count <= 0:
            return
        yield fate, number
        count -= fate.runs


def play(sim: Simulator, project: Path, fate: Fate, number: int) -> list[Lived]:
    """The runs that came of one turn; all of a project share its artifacts/runpod."""
    local = {"project_root": "../.."}
    shared = replace(fate, sections={**fate.sections, "local": local})
    return shared.play(Stage(sim, project / "jobs" / f"{fate.name}-{number}", f"{fate.name}-{number}"))


def await_guards(sim: Simulator) -> None:
    """Every pod whose driver is gone has met its guard."""
    deadline = time.monotonic() + GUARDED_WITHIN_S
    while left := list(unattended(sim)):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def unattended(sim: Simulator) -> Iterator[str]:
    """The pods at a dollar a second that are up: they have a cap of seconds."""
    for pod in sim.ledger["pods"]:
        if pod["gpu"] == "SIM 3600" and pod["status"] in POWERED:
            yield pod["id"]
