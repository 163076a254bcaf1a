"""Sweeps over the digits job, three at a time: one seed fails for good, two pods are lost. Every driver says so.

Six seeds here; `SWEEP_SEEDS=12 pytest tests/recipes` takes as many as the page names.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workshop import Rehearsal, Workshop, open_workshop

COUNT = int(os.environ.get("SWEEP_SEEDS", "6"))
BAD_SEED = "5"
TOTAL_CAP_USD = 14.0
# The second and the fourth pod that the cloud makes are lost four seconds after their boot: pods are reached after two
# at the latest, and no job ends before five.
PODS_LOST = [{"where": "pod", "what": "pod-dies", "after_s": 4, "nth": nth} for nth in (2, 4)]
CONFIG = f"""\
extends: examples/digits/digits.yaml
local: {{project_root: examples/digits}}
variables: {{epochs: "1"}}
budget: {{poll_interval_sec: 1}}
setup: []
preflight: []
run:
  body: |
    set -euo pipefail
    sleep 3
    if [ {{seed}} = {BAD_SEED} ]; then exit 3; fi
    cd "{{remote_dir}}"
    python3 train.py --seed {{seed}} --epochs {{epochs}} --out "${{RESULTS_DIR}}"
"""


@dataclass(frozen=True)
class Driver:
    """One way to run many seeds."""

    command: list[str]
    row: str
    """The pattern of a line of the table: seed, try or tries, exit code."""
    failed: int
    """Its exit code if a seed failed."""

    def rehearse(self, workshop: Workshop, seeds: list[str]) -> Rehearsal:
        """The ended sweep."""
        tail = [f"SEEDS={' '.join(seeds)}"] if self.command[0] == "make" else seeds
        return workshop.rehearse(*self.command, *tail, faults=PODS_LOST, env={"TOTAL_CAP_USD": str(TOTAL_CAP_USD)})


DRIVERS = {
    "bash": Driver(["recipes/sweep/parallel.sh", "sweep.yaml"], r"^(\d+) +(?P<try>\d+) +(?P<exit>\d+) +\w+ +0\.0", 1),
    "make": Driver(
        ["make", "-f", "recipes/sweep/Makefile", "sweep", "CONFIG=sweep.yaml"],
        r"^(\d+) +(?P<exit>\d+) +(?P<try>\d+) +/",
        2,
    ),
    "python": Driver(
        [
            "python3",
            "recipes/sweep/sweep.py",
            "sweep.yaml",
            "--retry-after-s",
            "0",
            "--total-cap-usd",
            str(TOTAL_CAP_USD),
        ],
        r"^(\d+) +(?P<try>\d+) +(?P<exit>\d+) +\w+ +0\.0",
        1,
    ),
}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop with a config of which one seed fails."""
    opened = open_workshop(tmp_path)
    (opened.dir / "sweep.yaml").write_text(CONFIG)
    return opened


@pytest.mark.parametrize("name", DRIVERS)
def test_sweep(workshop: Workshop, name: str) -> None:
    driver, seeds = DRIVERS[name], [str(seed) for seed in range(1, COUNT + 1)]
    rehearsal = driver.rehearse(workshop, seeds)
    tries = {(found[1], int(found["try"])): int(found["exit"]) for found in rows(driver, rehearsal)}
    last = {seed: exit_code for (seed, _), exit_code in sorted(tries.items())}
    assert last == {seed: 20 if seed == BAD_SEED else 0 for seed in seeds}, rehearsal.output
    assert rehearsal.exit_code == driver.failed
    assert rehearsal.ledger["pods_created"] == COUNT + len(PODS_LOST)
    assert rehearsal.ledger["pods_left"] == 0
    assert 0 < rehearsal.ledger["billed_usd"] <= TOTAL_CAP_USD


def rows(driver: Driver, rehearsal: Rehearsal) -> list[re.Match[str]]:
    """The lines of the table at the end."""
    return list(re.finditer(driver.row, rehearsal.output, re.MULTILINE))


# With job control, as at a prompt: a shell without it makes what it puts into the background deaf to SIGINT.
INTERRUPTED = """
set -m
%s & driver=$!
cd examples/digits && mkdir -p artifacts/runpod && cd artifacts/runpod || exit
until [ "$(grep -sl '"event": "job_launched"' */events.jsonl | wc -l)" = 2 ]; do sleep 0.2; done
kill -INT "$driver"
wait "$driver"
"""


@pytest.mark.parametrize(
    "command",
    ["recipes/sweep/parallel.sh sweep.yaml 1 2 3", "python3 recipes/sweep/sweep.py sweep.yaml 1 2 3 --at-once 2"],
    ids=["bash", "python"],
)
def test_an_interrupt_reaches_every_run_once(workshop: Workshop, command: str) -> None:
    rehearsal = workshop.rehearse("bash", "-c", INTERRUPTED % command, env={"AT_ONCE": "2"})
    assert rehearsal.exit_code == 130, rehearsal.output
    assert rehearsal.ledger["pods_created"] == 2
    assert rehearsal.ledger["pods_left"] == 0
    manifests = sorted((workshop.dir / "examples/digits/artifacts/runpod").glob("*/*manifest.json"))
    assert [json.loads(path.read_text())["outcome"] for path in manifests] == ["interrupted"] * 2


def under_a_total(workshop: Workshop, driver: str, total_cap_usd: str) -> Rehearsal:
    """Two runs of the hello job, with room for two at once but for the money."""
    command = {
        "bash": ["recipes/sweep/parallel.sh", "examples/hello/hello.yaml", "1", "2"],
        "python": ["python3", "recipes/sweep/sweep.py", "examples/hello/hello.yaml", "1", "2"],
    }
    flags = ["--total-cap-usd", total_cap_usd] if driver == "python" else []
    return workshop.rehearse(*command[driver], *flags, env={"TOTAL_CAP_USD": total_cap_usd})


@pytest.mark.parametrize("driver", ["bash", "python"])
def test_nothing_starts_that_could_pass_the_total(workshop: Workshop, driver: str) -> None:
    rehearsal = under_a_total(workshop, driver, "0.5")
    assert rehearsal.exit_code == 1
    assert rehearsal.ledger["pods_created"] == 0
    assert "seed 2: not started" in rehearsal.output


@pytest.mark.parametrize("driver", ["bash", "python"])
def test_runs_in_flight_count_with_their_caps(workshop: Workshop, driver: str) -> None:
    """The total leaves room for one cap and some change: the runs must go one after another."""
    rehearsal = under_a_total(workshop, driver, "1.5")
    assert rehearsal.exit_code == 0, rehearsal.output
    first, second = sorted(rehearsal.ledger["pods"], key=lambda pod: str(pod["created"]))
    assert first["ended"] <= second["created"]


@pytest.mark.parametrize("driver", ["bash", "python"])
def test_what_may_go_away_is_tried_again_but_not_for_ever(workshop: Workshop, driver: str) -> None:
    """Nothing is in stock: exit code 3 at each try."""
    command = {
        "bash": ["recipes/sweep/parallel.sh", "examples/hello/hello.yaml", "1"],
        "python": ["python3", "recipes/sweep/sweep.py", "examples/hello/hello.yaml", "1", "--retry-after-s", "0"],
    }
    flags = ["--attempts", "2"] if driver == "python" else []
    rehearsal = workshop.rehearse(*command[driver], *flags, faults=[{"what": "no-stock"}], env={"ATTEMPTS": "2"})
    assert rehearsal.exit_code == 1
    assert re.findall(r"^1 +(\d) +3 +stock_out", rehearsal.output, re.MULTILINE) == ["1", "2"]
    assert rehearsal.ledger["pods_created"] == 0
