"""Sweeps to rehearse: a config, the three loops with their own names for one setting, and the table that each prints.

Knows what the page promises of them; knows nothing of how they do it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.workshop import Workshop

# A dollar a second, so that a cent is a moment and caps are near.
CONFIG = """\
extends: examples/digits/digits.yaml
local: {project_root: examples/digits}
variables: {epochs: "1"}
pod: {gpu_order: [SIM 3600], datacenters: [EU-SE-1]}
budget: {cost_cap_usd: 60, assumed_hourly_rate_usd: 3600, max_runtime_minutes: 1}
setup: []
preflight: []
secrets: [{name: simulator, env: [RUNPOD_SIM_TOKEN], destination: /root/simulator.env}]
"""
# The host of the very pod that says this is lost. No clock decides when.
LOSE_THIS_POD = """\
python3 -c '
import os, urllib.request as web
url = os.environ["RUNPOD_API_BASE_URL"] + "/_sim/pods/" + os.environ["RUNPOD_POD_ID"] + "/kill"
head = {"Authorization": "Bearer " + os.environ["RUNPOD_SIM_TOKEN"]}
web.urlopen(web.Request(url, data=b"", headers=head, method="POST"))' && sleep 60
"""
TRAIN = """\
cd "{remote_dir}"
python3 train.py --seed {seed} --epochs {epochs} --out "${RESULTS_DIR}"
"""
SKIP_TRAINING = """\
mkdir -p "${RESULTS_DIR}" && touch "${RESULTS_DIR}/predictions.csv" "${RESULTS_DIR}/metrics.json"
echo DIGITS_DONE seed={seed}
"""
ROW = re.compile(r"^(\d+) +(\d+) +(\d+) +([\w-]+) +([\d.]+|-) +(/\S+|-)$", re.MULTILINE)


def write_config(workshop: Workshop, *body: str) -> None:
    """The workshop has a file `sweep.yaml` with this job."""
    lines = "".join(f"    {line}\n" for part in ("set -euo pipefail", *body) for line in part.splitlines())
    (workshop.dir / "sweep.yaml").write_text(f"{CONFIG}run:\n  body: |\n{lines}")


@dataclass(frozen=True)
class Driver:
    """One way to run many seeds."""

    command: str
    flags: dict[str, str]
    """The loop's name for each limit, if it differs from the name in the environment."""
    failed: int
    """Its exit code if a seed failed."""

    def call(self, seeds: Iterable[str], config: str = "sweep.yaml", **limits: str) -> str:
        """The shell command for a sweep over the seeds, with its logs in `logs`."""
        limits = {"LOGS": "logs", "CAP_USD": "60", "TOTAL_CAP_USD": "600", "RETRY_AFTER_S": "0", **limits}
        given = " ".join(self.flags.get(name, name + "=") + value for name, value in limits.items())
        if self.command.startswith("make"):
            return f"{self.command} CONFIG={config} SEEDS={shlex.quote(' '.join(seeds))} {given}"
        words = f"{self.command} {config} {' '.join(seeds)}"
        return f"{words} {given}" if self.flags else f"{given} {words}"


DRIVERS = {
    "bash": Driver("recipes/sweep/parallel.sh", {}, failed=1),
    "make": Driver("make -f recipes/sweep/Makefile sweep", {"LOGS": "DIR="}, failed=2),
    "python": Driver(
        "python3 recipes/sweep/sweep.py",
        {
            "LOGS": "--logs=",
            "CAP_USD": "--cap-usd=",
            "TOTAL_CAP_USD": "--total-cap-usd=",
            "RETRY_AFTER_S": "--retry-after-s=",
            "AT_ONCE": "--at-once=",
            "ATTEMPTS": "--attempts=",
            "STOP_AFTER": "--stop-after=",
        },
        failed=1,
    ),
}


@dataclass(frozen=True)
class Row:
    """One line of the table: one try."""

    seed: str
    number: int
    exit_code: int
    reason: str
    usd: str
    run_dir: str

    def manifest(self) -> dict[str, Any]:
        """The manifest of the run."""
        content: dict[str, Any] = json.loads(Path(self.run_dir, "runpod_deploy_pull_manifest.json").read_text())
        return content


def rows(printed: str) -> list[Row]:
    """The table at the end."""
    found = [match.groups() for match in ROW.finditer(printed)]
    return [Row(seed, int(number), int(code), *rest) for seed, number, code, *rest in found]


def exit_codes(table: Iterable[Row]) -> dict[str, list[int]]:
    """The rows of all tries of each seed, in order."""
    codes: dict[str, list[int]] = defaultdict(list)
    for row in table:
        codes[row.seed].append(row.exit_code)
    return dict(codes)
