"""This machine has the lease on its pod, and leaves a note there, from which another machine could go on.

The note is the pod's word, so it is compared with the spec, and no more is taken from it than a run could do itself.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated

from ..errors import DeployError, SshLost
from ..machine.clock import within
from ..machine.limited import limited_by
from ..pod.protocol import Lease
from ..record.events import DoneCommand, Retried, RunTakenBack, TakenOver
from ..run import Run
from ..spec import RunpodJobSpec
from ..spec.plain import Misfit, from_plain, to_plain
from ..spec.rules import Matches
from ..spec.strict_json import dumps, loads
from ..spec.types import PythonVersion
from .lease import claim_of, held, holder_of, is_alone, is_own, is_theirs, still_held
from .limits import run_limit
from .reconnect import with_reconnects

NOTE_WITHIN_S, LOOK_WITHIN_S = 30.0, 120.0
LOOKING = "looking who has the run"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNote:
    """What the machine that has the run leaves on the pod for another one."""

    token: Annotated[str, Matches(r"[0-9a-f]{32}", "a token of 32 digits")]
    stop_at: datetime
    """When the run stops at the latest."""
    stop_why: str
    commands: tuple[DoneCommand, ...] = ()
    staged: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    python_version: PythonVersion | None = None
    earlier_usd: float = 0.0
    """What the run has cost on the pods before this one."""


def hold(run: Run) -> None:
    """This machine has the lease of the pod, and the pod has its note. Raises Detach if another one has it, SshLost."""
    if not run.spec.any_machine:
        return
    lease = lease_of(run)
    if lease is None:
        return
    if not is_own(run, run.state.pod.id or "", lease):
        if is_theirs(run, lease) and not is_alone(lease):
            raise held(run, lease)
        take(run, lease)
        if lease.number:
            run.record(RunTakenBack(taken_over=taken_over(run, run.state.pod_token, lease)))
    leave_note(run)


def lease_of(run: Run) -> Lease | None:
    """The pod's lease; None if it cannot be read now, which is no reason to end a job that runs. Raises SshLost."""
    try:
        with within(run.world.clock, LOOK_WITHIN_S, LOOKING):
            return with_reconnects(run, LOOKING, lambda: run.host.lease(), run_limit(run))
    except (TimeoutError, SshLost) as error:
        if isinstance(error, SshLost) and run.state.job.pid is None:
            raise
        run.record(Retried(what=LOOKING, error=str(error), in_sec=0.0))
        return None


def take(run: Run, lease: Lease) -> None:
    """This machine has the next lease. Raises Detach if another one was faster, SshLost."""
    number = lease.number + 1
    act = partial(run.host.take_lease, number, claim_of(run, run.state.pod.id or "", number), run.world.hostname)
    if not with_reconnects(run, "taking the run", act, run_limit(run)):
        still_held(run)  # or the pod refuses everybody: the run is still this machine's


def leave_note(run: Run) -> None:
    """The pod has a note of what is done. Without it another machine would only do more than once."""
    if run.spec.any_machine and run.state.cost.stop_at is not None:
        in_time = within(run.world.clock, NOTE_WITHIN_S, "leaving a note")
        with suppress(DeployError, TimeoutError), in_time, limited_by(run_limit(run)):
            run.host.leave_note(dumps(to_plain(note_of(run))).encode())


def note_of(run: Run) -> PodNote:
    """What is done on the pod, and until when it may run."""
    state = run.state
    assert state.cost.stop_at
    return PodNote(
        token=state.pod_token,
        stop_at=state.cost.stop_at,
        stop_why=state.cost.stop_why,
        commands=tuple(DoneCommand(section=name, index=index) for name, index in sorted(state.work.commands_done)),
        staged=tuple(sorted(state.work.staged)),
        secrets=tuple(sorted(state.work.secrets)),
        python_version=state.pod.python_version,
        earlier_usd=state.cost.without_usd(state.pod.id or "", run.world.clock.now()),
    )


def read_note(lease: Lease, token: str) -> PodNote | None:
    """The note, if it can be read and is about the pod with this token."""
    try:
        note = from_plain(PodNote, loads(lease.note))
    except (Misfit, ValueError, RecursionError):
        return None
    return note if note.token == token else None


def taken_over(run: Run, token: str, lease: Lease) -> TakenOver:
    """What is known of the run on the pod, which another machine had."""
    known = TakenOver(
        holder=holder_of(lease), token=token, account=run.world.cloud.account, job_pid=lease.job_pid or None
    )
    note = read_note(lease, token)
    return known if note is None else with_note(known, note, run.spec.job)


def with_note(known: TakenOver, note: PodNote, job: RunpodJobSpec) -> TakenOver:
    """What is known, with what the note says is done. What the config does not name is left out."""
    commands = {"python": 1 if job.pod.python_version else 0, "setup": len(job.setup), "preflight": len(job.preflight)}
    labels, names = {entry.label for entry in job.staging}, {secret.name for secret in job.secrets}
    return replace(
        known,
        commands=tuple(done for done in note.commands if 0 <= done.index < commands.get(done.section, 0)),
        staged=tuple(label for label in note.staged if label in labels),
        secrets=tuple(name for name in note.secrets if name in names),
        python_version=note.python_version if job.pod.python_version else None,
    )
