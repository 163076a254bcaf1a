"""The most telling moments to die at, on the simulator: resumed, and never resumed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from runpod_sim.chaos.cases import GROUNDS, WAYS, Blow, Case, Scope, cases
from runpod_sim.chaos.command import OWN_CONFIG, chaos, resolved
from runpod_sim.chaos.judge import Expected, flaws
from runpod_sim.chaos.play import Played, Stage, play
from runpod_sim.chaos.project import project

# The simulator runs in this process, and its event loop ends before the last transport of a dead pod is collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

STAGE = Stage(resolved(["runpod-deploy"]), project(OWN_CONFIG, None), usd_per_hour=3600.0)
LOST_CREATE = {"where": "POST /v2/pods", "what": "effect-then-reset"}
LAG = {"where": "pod", "what": "lag", "seconds": 4}


def kills(*events: str | int) -> tuple[Blow, ...]:
    return tuple(Blow(event) for event in events)


# Together they hold each promise at the moment at which it is hardest to keep.
MOMENTS = {
    "after the intent, before the pod is known": Case(blows=kills("pod_requested"), faults=(LAG,)),
    "twice around the pod, its create's answer lost": Case(
        blows=kills("pod_requested", "pod_created"), faults=(LOST_CREATE,)
    ),
    "around the launch": Case(blows=(*kills("guard_armed"), Blow("job_launched"))),
    "while the job prints, then while the connection breaks": Case(
        blows=(Blow("job_launched"), Blow("run_resumed", "drop-ssh"))
    ),
    "at the job's end and in the pull": Case(blows=kills("job_ended", "artifact_pull_started")),
    "in the release, whose deletions are ignored": Case(
        blows=kills("release_started"),
        faults=({"where": "DELETE /v2/pods/{id}", "what": "delete-ignored", "times": 2},),
    ),
    "for ever, after the intent": Case(blows=kills("pod_requested"), resumed=False),
    "for ever, while the job runs": Case(blows=kills("job_launched"), resumed=False),
    "for ever, and the container restarts": Case(
        blows=(Blow("job_launched", "restart-container"), Blow("connection_lost")), resumed=False
    ),
    "for ever, before the pod could boot": Case(
        blows=kills("pod_created"), faults=({"where": "pod", "what": "never-running"},), resumed=False
    ),
}


def test_whenever_it_is_killed() -> None:
    played = asyncio.run(all_at_once())
    undisturbed = played.pop("never")
    assert undisturbed.code == 0 and undisturbed.starts == 1, undisturbed.words
    names = [path for path in undisturbed.files if path.endswith(("run.log", "result.txt", "words.txt"))]
    assert len(names) == 4, "two of words.txt: what was staged, and what came home"
    wanted = Expected(0, len(undisturbed.events), {path: undisturbed.files[path] for path in names})
    broken = {name: (found, one.words) for name, one in played.items() if (found := list(flaws(one, wanted)))}
    assert not broken
    unstruck = [name for name, one in played.items() if not one.killed_after and one.case.resumed]
    assert not unstruck, f"the blow never fell: {unstruck}"
    assert any(one.killed_after for one in played.values() if not one.case.resumed)


async def all_at_once() -> dict[str, Played]:
    """Each case, and a run that nothing befell."""
    chosen = {**MOMENTS, "never": Case()}
    return dict(zip(chosen, await asyncio.gather(*(play(case, STAGE) for case in chosen.values())), strict=True))


def test_the_same_seed_makes_the_same_cases_and_every_row_is_struck() -> None:
    scope = Scope(40, GROUNDS, WAYS)
    first = list(cases(200, 3, scope))
    assert first == list(cases(200, 3, scope)) != list(cases(200, 4, scope))
    assert {blow.at for case in first for blow in case.blows if blow.what == "kill"} == set(range(1, 41))
    assert 30 < sum(not case.resumed for case in first) < 100


FORGETFUL = r"""#!/usr/bin/env python3
import json, os, pathlib, sys, urllib.request
if sys.argv[1] == "run":
    folder = pathlib.Path("artifacts/runpod/1").absolute()
    folder.mkdir(parents=True)
    print(f"RUN_DIR={folder}", flush=True)
    ask = {
        "name": "x", "image": "ubuntu:24.04", "disk": 10,
        "gpu": {"id": "SIM 3600"},
    }
    head = {"Authorization": "Bearer " + os.environ["RUNPOD_API_KEY"], "Content-Type": "application/json"}
    url = os.environ["RUNPOD_API_BASE_URL"] + "/v2/pods"
    request = urllib.request.Request(url, json.dumps(ask).encode(), {**head, "User-Agent": "forgetful/1"})
    print(urllib.request.urlopen(request).status)
"""


def test_a_driver_that_forgets_its_pod_is_found_out(tmp_path: Path) -> None:
    driver = tmp_path / "forgetful"
    driver.write_text(FORGETFUL)
    driver.chmod(0o755)
    ended = CliRunner().invoke(chaos, ["--cases", "1", "--", str(driver)])
    assert ended.exit_code == 1, ended.output
    assert "LEAK: still bills" in ended.output and "leaks            1" in ended.output
