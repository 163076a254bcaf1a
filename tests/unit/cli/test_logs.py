"""logs: the pod that is asked for the log of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.cli.logs import told_address
from runpod_deploy.cloud.values import Address
from runpod_deploy.errors import SshLost
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from runpod_deploy.record.state import State
from tests.support.worlds import Killed, Memory


def dies(event: e.Event, _state: State) -> None:
    """The process is killed once the job runs."""
    if isinstance(event, e.JobLaunched):
        raise Killed


def test_a_log_of_a_run_that_somebody_sent_is_read_at_the_address_of_the_api(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    with pytest.raises(Killed):
        carry_out(world.open(dies))
    run = world.open()
    run.record(e.PodReachable(host="10.9.9.9", port=666))
    assert told_address(world.cloud, world.dir, run.state) == world.cloud.address != run.state.pod.address
    theirs = world.cloud.add_foreign("training", address=Address(host="10.9.9.9", port=666))
    world.dir.events.write_text(world.dir.events.read_text().replace(run.state.pod.id or "", theirs.id))
    with pytest.raises(SshLost, match="did not begin this run"):
        told_address(world.cloud, world.dir, world.open().state)
