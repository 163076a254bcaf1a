"""A trial of the search that falls behind is stopped: its pod is gone, its cost counts, and it is not tried again."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.workshop import open_workshop

needs_optuna = pytest.mark.skipif(
    not find_spec("optuna"), reason="Optuna is not installed: pip install -e '.[recipes]'"
)
# It reports a bad loss at once, and would go on for longer than the test.
BAD = """\
    echo '__RUNPOD_EVENT__ {"event": "epoch", "step": 1, "loss": 9.5}'
    sleep 600
"""
# The median pruner compares with five complete trials.
GOOD_TRIALS = 5


@needs_optuna
def test_a_trial_that_falls_behind_is_stopped_and_its_cost_counts(tmp_path: Path) -> None:
    import optuna

    workshop = open_workshop(tmp_path)
    folder = workshop.dir / "recipes/sweep-optuna"
    job = (folder / "job.yaml").read_text()
    (folder / "bad.yaml").write_text(job[: job.index("    python3 -")] + BAD + job[job.index("artifacts:") :])
    storage = f"sqlite:///{folder / 'study.db'}"
    study = optuna.create_study(storage=storage, study_name="lr", direction="minimize")
    space: dict[str, optuna.distributions.BaseDistribution] = {
        "lr": optuna.distributions.FloatDistribution(1e-5, 1.0, log=True)
    }
    for number in range(GOOD_TRIALS):
        loss = 1.0 + number / 10
        study.add_trial(
            optuna.trial.create_trial(
                value=loss,
                intermediate_values={1: loss},
                params={"lr": 0.01},
                distributions=space,
                user_attrs={"usd": 0.1},
            )
        )

    command = f"cd {folder}; {sys.executable} search.py lr bad.yaml --trials {GOOD_TRIALS + 1} --at-once 1"
    search = workshop.rehearse("bash", "-c", command)
    assert search.exit_code == 0, search.output
    trial = study.trials[-1]
    assert trial.state == optuna.trial.TrialState.PRUNED and len(study.trials) == GOOD_TRIALS + 1, search.output
    manifest = json.loads((folder / f"artifacts/runpod/lr-{GOOD_TRIALS}/runpod_deploy_pull_manifest.json").read_text())
    assert (manifest["outcome"], manifest["exit_code"]) == ("interrupted", 130)
    assert trial.user_attrs["usd"] == manifest["estimated_cost_usd"] > 0
    assert search.ledger["pods_created"] == 1 and search.ledger["pods_left"] == 0
    assert 0.95 * search.ledger["billed_usd"] <= trial.user_attrs["usd"]
