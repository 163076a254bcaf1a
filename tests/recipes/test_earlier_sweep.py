"""The loops of the earlier tool's sweep page do their work on a simulated cloud, unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.recipes.earlier import ONE_OFF, PARALLEL, SEQUENTIAL, path_with_uv, settle_in
from tests.recipes.sweeps import LOSE_THIS_POD
from tests.support.workshop import Rehearsal, Workshop, open_workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    opened = open_workshop(tmp_path)
    settle_in(opened)
    return opened


def rehearse(workshop: Workshop, *command: str) -> Rehearsal:
    """The ended loop."""
    return workshop.rehearse(*command, env=path_with_uv(workshop))


def names(done: Rehearsal) -> list[str]:
    """The jobs whose pods were created and are gone, without the time stamps."""
    assert done.ledger["pods_left"] == 0, done.output
    return sorted(pod["name"].partition("-20")[0] for pod in done.ledger["pods"])


def test_one_after_another(workshop: Workshop) -> None:
    done = rehearse(workshop, "bash", "-c", SEQUENTIAL)

    assert done.exit_code == 0, done.output
    assert names(done) == ["shard-high", "shard-low"] and "aggregated 2" in done.output
    env = json.loads((workshop.dir / "artifacts/sweep_env.json").read_text())
    assert list(env)[:3] == ["local_git_sha", "local_git_dirty", "local_git_branch"]


def test_with_make(workshop: Workshop) -> None:
    done = rehearse(workshop, "make", "sweep")

    assert done.exit_code == 0, done.output
    assert names(done) == ["shard-high", "shard-low"] and "aggregated 2" in done.output


def test_variations_of_one_config(workshop: Workshop) -> None:
    """A GPU under the name that the page prints, which is no id of the API, and a seed."""
    done = rehearse(workshop, "bash", "-c", ONE_OFF)

    assert done.exit_code == 0, done.output
    assert names(done) == ["headline", "shard-s42"]


def test_two_at_a_time_and_each_failure_has_its_cause(workshop: Workshop) -> None:
    """One job fails and one pod is lost; the driver tells them apart by the events of the run dir."""
    fates = f"case {{seed}} in\n43) exit 3 ;;\n44)\n{LOSE_THIS_POD};;\nesac\necho hi >greeting.txt; echo HELLO_DONE"
    body = "".join(f"    {line}\n" for line in fates.splitlines())
    config = workshop.dir / "configs/runpod/template.yaml"
    config.write_text(
        config.read_text()
        + "secrets: [{name: sim, env: [RUNPOD_SIM_TOKEN], destination: /root/sim.env}]\n"
        + "lifecycle: {on_failure: delete}\n"
        + "run:\n  script_path: /workspace/hello.sh\n  log_path: /workspace/hello.log\n"
        + f"  body: |\n{body}"
        + "artifacts: []\n"
    )

    done = rehearse(workshop, "bash", "-c", PARALLEL)

    assert names(done) == [f"shard-s{seed}" for seed in (42, 43, 44, 45)]
    said = {line for line in done.output.splitlines() if line.startswith("shard ")}
    assert said == {"shard 43: failed", "shard 44: pod lost"}, done.output
