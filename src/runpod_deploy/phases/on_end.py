"""The user's own command at the end of a run, on this machine. Knows its environment; knows nothing of its purpose."""

from __future__ import annotations

from functools import partial

from ..machine import proc
from ..machine.environment import of_child, picked
from ..record.events import OnEndFinished, OnEndStarted
from ..record.state import State
from ..run import Run
from ..spec import Spec

WITHIN_S = 60.0
DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS")
"""What a program needs to show a notice on this user's desktop."""
SHELL = ("sh", "-c", 'cd "$PROJECT_ROOT" && eval "$ON_END"')
"""The command is in the environment, not in the arguments: those are visible to every user of the machine."""


def is_due(spec: Spec, state: State) -> bool:
    """Whether the run has ended and its command was never started."""
    return spec.job.on_end is not None and state.end.finished and not state.end.on_end_started


def on_end(run: Run, *, within_s: float = WITHIN_S) -> None:
    """The command was started at most once in the life of the run, and has ended. It changes no outcome.

    The intent is on disk first. If this process is killed before the command has ended, nobody starts it again: a
    message that is lost is better than one that comes twice, or a command that charges twice.
    """
    if not is_due(run.spec, run.state):
        return
    with run.signals.held():
        try:
            run.record(OnEndStarted(), must=True)
        except OSError:
            return  # a full disk: the next process that takes the run up tries again
        begun = run.world.clock.monotonic()
        exit_code, error = carried_out(run, within_s)
        took = round(run.world.clock.monotonic() - begun, 3)
        run.record(OnEndFinished(exit_code=exit_code, duration_sec=took, error=error))
        run.signals.take()


def carried_out(run: Run, within_s: float) -> tuple[int | None, str]:
    """The exit code of the command; None, and why, if it was not started or was ended."""
    try:
        done = proc.run(SHELL, env=environment_of(run), timeout_s=within_s, on_output=partial(run.show, "on_end"))
    except TimeoutError:
        return None, f"it took longer than {within_s:g} s and was ended"
    except OSError as error:
        return None, f"it could not be started: {error.strerror}"
    return done.exit_code, "" if done.exit_code == 0 else f"it exited with status {done.exit_code}"


def environment_of(run: Run) -> dict[str, str]:
    """Facts about the run, and what programs need to run here: neither the API key nor a secret of the job."""
    state, job = run.state, run.spec.job
    failure = state.failure
    facts = {
        "RUN_DIR": str(run.dir.path.absolute()),
        "RUN_ID": run.spec.run_id,
        "JOB_NAME": job.name,
        "OUTCOME": state.outcome,
        "EXIT_CODE": str(state.exit_code),
        "KIND": failure.kind if failure else "",
        "COST": f"{state.cost.spent_usd(run.world.clock.now()):.4f}",
        "PROJECT_ROOT": str(run.spec.project_root),
        "ON_END": job.on_end or "",
    }
    return of_child(run.world.environ) | picked(DESKTOP, run.world.environ) | facts
