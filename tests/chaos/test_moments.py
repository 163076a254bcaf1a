"""The most critical moments to be killed at, on the simulator: resumed, and never resumed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from runpod_sim.chaos.cases import (
    DETACH_STOP,
    MISBEHAVING,
    RECYCLED,
    RESUME_METHODS,
    TWO_FOLDERS,
    VARIANTS,
    Case,
    Disturbance,
    Scope,
    cases,
)
from runpod_sim.chaos.command import OWN_CONFIG, chaos, resolved
from runpod_sim.chaos.judge import Expected, violations
from runpod_sim.chaos.outcome import Outcome
from runpod_sim.chaos.project import project
from runpod_sim.chaos.runner import Target, run_case

# The simulator runs in this process, and its event loop ends before the last transport of a dead pod is collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TARGET = Target(resolved(["runpod-deploy"]), project(OWN_CONFIG, None), usd_per_hour=3600.0)
LOST_CREATE = {"where": "POST /v2/pods", "what": "effect-then-reset"}
LAG = {"where": "pod", "what": "lag", "seconds": 4}


def kills(*events: str | int) -> tuple[Disturbance, ...]:
    return tuple(Disturbance(event) for event in events)


# Together they hold each promise at the moment at which it is hardest to keep.
MOMENTS = {
    "after the intent, before the pod is known": Case(disturbances=kills("pod_requested"), faults=(LAG,)),
    "twice around the pod, its create's answer lost": Case(
        disturbances=kills("pod_requested", "pod_created"), faults=(LOST_CREATE,)
    ),
    "around the launch": Case(disturbances=(*kills("guard_armed"), Disturbance("job_launched"))),
    "while the job prints, then while the connection breaks": Case(
        disturbances=(Disturbance("job_launched"), Disturbance("run_resumed", "drop-ssh"))
    ),
    "at the job's end and in the pull": Case(disturbances=kills("job_ended", "artifact_pull_started")),
    "in the release, whose deletions are ignored": Case(
        disturbances=kills("release_started"),
        faults=({"where": "DELETE /v2/pods/{id}", "what": "delete-ignored", "times": 2},),
    ),
    "for ever, after the intent": Case(disturbances=kills("pod_requested"), resumed=False),
    "for ever, while the job runs": Case(disturbances=kills("job_launched"), resumed=False),
    "for ever, and the container restarts": Case(
        disturbances=(Disturbance("job_launched", "restart-container"), Disturbance("connection_lost")), resumed=False
    ),
    "for ever, before the pod could boot": Case(
        disturbances=kills("pod_created"), faults=({"where": "pod", "what": "never-running"},), resumed=False
    ),
}
# The same for the ways of the product that are less often used.
BY_OTHER_WAYS = {
    "after a paused pod was taken, which its host then has no room for": Case(
        disturbances=kills("pod_recycled"), faults=({"where": "pods", "what": "host-full"},), variant=RECYCLED
    ),
    "while its job kills by name and removes the tool's files": Case(
        disturbances=kills("job_launched"), variant=MISBEHAVING
    ),
    "while another folder has a run of this id, and its create's answer is lost": Case(
        disturbances=kills("pod_requested"), faults=(LOST_CREATE,), resume_method=TWO_FOLDERS
    ),
    "after it was left, and its pod stopped": Case(disturbances=kills("run_resumed"), resume_method=DETACH_STOP),
    "for ever, and the pod moves to another id": Case(
        disturbances=kills("pod_reachable"), faults=({"where": "pod", "what": "migrates"},), resumed=False
    ),
}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("moments", [MOMENTS, BY_OTHER_WAYS], ids=["common ways", "other ways"])
def test_whenever_it_is_killed(moments: dict[str, Case]) -> None:
    outcomes = asyncio.run(all_at_once(moments))
    undisturbed = outcomes.pop("never")
    assert undisturbed.code == 0 and undisturbed.starts == 1, undisturbed.stderr
    names = [path for path in undisturbed.files if path.endswith(("run.log", "result.txt", "words.txt"))]
    assert len(names) == 4, "two of words.txt: the staged one, and the pulled one"
    wanted = Expected(0, len(undisturbed.events), {path: undisturbed.files[path] for path in names})
    broken = {name: (found, one.stderr) for name, one in outcomes.items() if (found := list(violations(one, wanted)))}
    assert not broken
    never_came = [name for name, one in outcomes.items() if one.case.resumed and not one.killed_after and not came(one)]
    assert not never_came
    assert any(one.killed_after for one in outcomes.values())


def came(one: Outcome) -> bool:
    """Whether the journal has the rows of the case: on a busy machine a process may end before it is seen there.

    A run that is not resumed has a small cap, which such a machine reaches before the moment.
    """
    return {disturbance.at for disturbance in one.case.disturbances} <= set(one.events)


async def all_at_once(moments: dict[str, Case]) -> dict[str, Outcome]:
    """The outcome of each case, and of an undisturbed run."""
    chosen = {**moments, "never": Case()}
    return dict(zip(chosen, await asyncio.gather(*(run_case(case, TARGET) for case in chosen.values())), strict=True))


def test_the_same_seed_makes_the_same_cases_and_every_row_has_a_kill() -> None:
    scope = Scope(40, VARIANTS, RESUME_METHODS)
    first = list(cases(200, 3, scope))
    assert first == list(cases(200, 3, scope)) != list(cases(200, 4, scope))
    assert {one.at for case in first for one in case.disturbances if one.what == "kill"} == set(range(1, 41))
    assert 30 < sum(not case.resumed for case in first) < 100


def outcome(**facts: Any) -> Outcome:
    return Outcome(Case(), **({"code": 0, "pods": 1, "starts": 1} | facts))


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (outcome(unnamed=["pod1"]), "leak"),
        (outcome(left=["pod1"]), "leak"),
        (outcome(touched=["notebook (pod1): deleted"]), "foreign pod"),
        (outcome(pods=2), "second pod"),
        (outcome(starts=2), "double start"),
        (outcome(stderr="error: [Errno 32] Broken pipe\nkind: internal"), "defect"),
        (outcome(code=21), "difference"),
        (outcome(other=outcome(pods=2)), "second pod"),
    ],
)
def test_a_broken_promise_is_named(found: Outcome, kind: str) -> None:
    assert [violation.kind for violation in violations(found, Expected(0, 40, {}))] == [kind]


def test_pods_that_were_given_up_are_no_second_ones() -> None:
    found = outcome(pods=3, events=["pod_left_behind", "late_pod_found"])
    assert not list(violations(found, Expected(0, 40, {})))


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


# It ends every pod that has the name of its run, whoever made it.
GRASPING = r"""#!/usr/bin/env python3
import json, os, pathlib, sys, urllib.request
def call(method, path):
    head = {"Authorization": "Bearer " + os.environ["RUNPOD_API_KEY"], "User-Agent": "grasping/1"}
    request = urllib.request.Request(os.environ["RUNPOD_API_BASE_URL"] + path, headers=head, method=method)
    return urllib.request.urlopen(request).read()
if sys.argv[1] == "run":
    for pod in json.loads(call("GET", "/v2/pods"))["pods"]:
        if pod["name"] == "chaos":
            call("DELETE", "/v2/pods/" + pod["id"])
    print("RUN_DIR=" + str(pathlib.Path("artifacts").absolute()))
"""


def test_a_driver_that_takes_pods_by_their_name_is_found_out(tmp_path: Path) -> None:
    driver = tmp_path / "grasping"
    driver.write_text(GRASPING)
    driver.chmod(0o755)
    ended = CliRunner().invoke(chaos, ["--cases", "1", "--", str(driver)])
    assert ended.exit_code == 1, ended.output
    assert "FOREIGN POD: chaos-artifacts (" in ended.output and "foreign pods     1" in ended.output


def test_a_driver_that_forgets_its_pod_is_found_out(tmp_path: Path) -> None:
    driver = tmp_path / "forgetful"
    driver.write_text(FORGETFUL)
    driver.chmod(0o755)
    ended = CliRunner().invoke(chaos, ["--cases", "1", "--", str(driver)])
    assert ended.exit_code == 1, ended.output
    assert "LEAK: bills after exit code 0" in ended.output and "leaks            1" in ended.output
