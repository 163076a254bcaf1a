"""The stale-pod audit, started as cron and CI start it: from the files of the recipe, in a separate environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support.workshop import COMMANDS_DIR, Workshop, open_workshop

FOLDER = "recipes/stale-pods"
LEAVE_A_STOPPED_POD = "runpod-deploy run --config examples/hello/hello.yaml --on-success stop -q\n"
# cron gives a command little more than this; the key and PATH come from the file that the command reads first.
AS_CRON = """\
sed "s|your-key|$RUNPOD_API_KEY RUNPOD_API_BASE_URL=$RUNPOD_API_BASE_URL|; s|\\$HOME/venv/bin|{commands}|" \
  recipes/stale-pods/runpod-env >"$HOME/.runpod-env"
cp -r recipes "$HOME"
env -i HOME="$HOME" LOGNAME=you SHELL=/bin/sh PATH=/usr/bin:/bin /bin/sh -c '{command}'
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return open_workshop(tmp_path)


def cron_command(workshop: Workshop) -> str:
    """The command in the crontab, after its five time fields."""
    line = (workshop.dir / FOLDER / "crontab").read_text().splitlines()[-1]
    found = re.fullmatch(r"(?:[\d*/,-]+ ){4}[\d*/,-]+ +([^%]+)", line)  # % would be a new line to cron
    assert found, line
    return found[1]


@pytest.mark.parametrize(
    ("hours", "exit_code", "mail"), [("24", 0, ""), ("0", 1, r"\w+  hello-\w+  \d+ GB  \d\.\d\d USD a month\n")]
)
def test_cron_sends_mail_for_an_old_pod_and_only_then(
    workshop: Workshop, hours: str, exit_code: int, mail: str
) -> None:
    command = cron_command(workshop)
    assert command.endswith(" 24")
    script = AS_CRON.format(commands=COMMANDS_DIR, command=command.removesuffix("24") + hours)
    audit = workshop.rehearse("bash", "-c", LEAVE_A_STOPPED_POD + script)
    assert audit.exit_code == exit_code
    assert re.fullmatch(mail, audit.output), audit.output


def test_the_workflow_runs_the_audit_with_the_key(workshop: Workshop) -> None:
    workflow = yaml.safe_load((workshop.dir / FOLDER / "github-workflow.yml").read_text())
    [schedule] = workflow[True]["schedule"]  # YAML reads `on` as true, and so does GitHub
    assert re.fullmatch(r"(?:[\d*]+ ){4}[\d*]+", schedule["cron"])
    *_, last = workflow["jobs"]["audit"]["steps"]
    assert last["env"] == {"RUNPOD_API_KEY": "${{ secrets.RUNPOD_API_KEY }}"}
    found = workshop.rehearse("bash", "-c", LEAVE_A_STOPPED_POD + last["run"].replace("24", "0"))
    assert found.exit_code == 1
    assert workshop.rehearse("bash", "-c", last["run"]).exit_code == 0
