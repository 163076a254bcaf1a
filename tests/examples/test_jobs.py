"""The configs to start from: each is short, costs what its comment says, and works as far as a simulator can tell.

No GPU, no PyTorch and no package index is here. So the programs that a job installs are played by one that only writes
the job's results; everything else is real: rendering, staging, the job's script, the limits and the downloads.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.support.workshop import Workshop, open_workshop

JOBS = ("axolotl", "dataset", "finetune", "lightning", "notebook", "predictions", "torchrun", "vllm-batch")
PLAYED = ("python", "axolotl", "vllm", "papermill", "torchrun")
"""The programs of /root/venv/bin, and one of the image."""
AT_MOST = re.compile(r"^# Costs at most \$(\d+\.\d\d): ", re.MULTILINE)


def path_of(root: Path, job: str) -> Path:
    return root / "examples" / job / f"{job}.yaml"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return open_workshop(tmp_path)


def test_each_is_short_and_costs_what_it_says(workshop: Workshop) -> None:
    estimates = "; ".join(
        f"runpod-deploy estimate --json examples/{job}/{job}.yaml | tr -d '\\n'; echo" for job in JOBS
    )
    printed = workshop.rehearse("bash", "-c", estimates).output
    for job, line in zip(JOBS, printed.splitlines(), strict=True):
        text, estimate = path_of(workshop.dir, job).read_text(), json.loads(line)
        assert len(text.splitlines()) <= 40, job
        [said] = AT_MOST.findall(text)
        assert f"{estimate['cost_at_stop_usd']:.2f}" == said, job
        assert estimate["price_source"].startswith("catalogue"), job


def test_each_brings_its_results_home(workshop: Workshop) -> None:
    for job in JOBS:
        write_rehearsal(path_of(workshop.dir, job))
    each = "runpod-deploy run -q --print-run-dir examples/{}/rehearsal.yaml && echo {} succeeded"
    done = workshop.rehearse(
        "bash", "-c", f"printf '%s\\n' {' '.join(JOBS)} | xargs -P 3 -I {{}} sh -c '{each}'", within_s=220
    )
    assert {job for job in JOBS if f"{job} succeeded" in done.output} == set(JOBS), done.output
    assert (done.ledger["pods_created"], done.ledger["pods_left"]) == (len(JOBS), 0)


def write_rehearsal(path: Path) -> None:
    """The config as it is, but nothing is installed, and the played programs are uploaded with the project."""
    config = yaml.safe_load(path.read_text())
    folder = config["variables"]["dir"].replace("{volume_mount}", "/workspace")
    results = " ".join(artifact["remote_path"].replace("{dir}", folder) for artifact in config["artifacts"])
    programs = path.parent / "played"
    programs.mkdir()
    for name in PLAYED:
        (programs / name).write_text(PROGRAM.replace("@RESULTS", results))
        (programs / name).chmod(0o755)
    played = {"label": "played programs", "source": "played/", "destination": "/root/venv/bin/"}
    body = "PATH=/root/venv/bin:$PATH\n" + config["run"]["body"]
    changes = {"setup": [], "staging": [*config["staging"], played], "run": {**config["run"], "body": body}}
    (path.parent / "rehearsal.yaml").write_text(yaml.safe_dump(config | changes))


PROGRAM = """\
#!/bin/sh
for result in @RESULTS; do
    case $result in */) mkdir -p "$result"; result=$result/result ;; esac
    mkdir -p "${result%/*}" && printf '{"figure": 1}\\n' >"$result"
done
"""
