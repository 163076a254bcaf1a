"""scripts/guard.sh acts as the shared table of cases says, by which the guard in memory is tested too."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.pod_scripts.test_guard import ACTION, DELETED, arm, boot_terms, guarding, variables
from tests.support.guard_cases import CASES, GuardCase
from tests.support.shell_grounds import Call, FakeApi, eventually, fake_api, script_folder

QUIET_S = 2.5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_shell_s_guard_asks_as_the_table_says(case: GuardCase, tmp_path: Path) -> None:
    control = tmp_path / f"case-{os.getpid()}-{CASES.index(case)}"
    script_folder(control / "bin-1")
    with fake_api() as api:
        refuse(api, case)
        lay_out(control, case)
        boot = case.boot
        terms = boot_terms(boot.deadline_s, idle_s=boot.idle_s, on_failure=boot.on_failure) if boot else {}
        with guarding(control, variables(api.url, **terms)):
            if case.asks:
                eventually(lambda: len(verbs(api)) >= len(case.asks))
            else:
                time.sleep(QUIET_S)
            assert verbs(api)[: max(1, len(case.asks))] == list(case.asks)


def lay_out(control: Path, case: GuardCase) -> None:
    """The control folder is as the case says."""
    (control / "guard").mkdir()
    if case.armed:
        armed = case.armed
        arm(control, armed.deadline_s, idle_s=armed.idle_s, on_failure=armed.on_failure, ended_s=armed.ended_s)
    if case.job_over:
        (control / "pid").write_text("999999\n")
        (control / "status").write_text("0 0\n")
    for name, wanted in (("rest", case.rest), ("disarmed", case.disarmed)):
        if wanted:
            (control / "guard" / name).touch()


def refuse(api: FakeApi, case: GuardCase) -> None:
    """The API refuses what the case says; a refused terminate is refused by GraphQL as well."""
    if "delete" in case.refused:
        api.answers[DELETED] = (403, {})
    if "terminate" in case.refused:
        api.answers_to_body = {'"terminate"': (403, {}), "podTerminate": (200, {"errors": [{}]})}


def verbs(api: FakeApi) -> list[str]:
    """What the guard asked for, each once in a row; GraphQL only repeats what REST refused."""
    asked = [verb for call in api.calls if (verb := verb_of(call))]
    return [verb for i, verb in enumerate(asked) if i == 0 or verb != asked[i - 1]]


def verb_of(call: Call) -> str:
    """delete, terminate or stop; empty for GraphQL."""
    if call.method == "DELETE":
        return "delete"
    if f"{call.method} {call.path}" != ACTION:
        return ""
    return "terminate" if "terminate" in call.body else "stop"
