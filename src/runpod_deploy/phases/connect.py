"""From a pod that exists to a pod that answers."""

from __future__ import annotations

from ..cloud.values import Pod
from ..errors import BootTimeout, CloudUnreachable, ReleaseUnconfirmed, SshLost
from ..machine.clock import wait_until
from ..money import guard_deadline
from ..pod.protocol import GuardTerms
from ..record.events import GuardArmed, GuardMissing, PodAbandoned, PodBooting, PodDiscarded, PodReachable, Retried
from ..run import Run
from . import heartbeat, snapshots
from .limits import enforce, run_limit
from .provision import guard_terms, provision, untried
from .reconnect import GONE_STATES, with_reconnects
from .release import UNSEEN_FOR_S, confirm_deleted

BOOT_EVERY_S = 0.3
# All waiting runs of a user share one listing. A fresh pod may be up within seconds, so the listing must be young at
# first; later it may be older: fifty runs together must not ask more than thirty times a minute.
FIRST_LOOKS_S = 3.0
FIRST_LISTING_AGE_S = 0.5
LISTING_AGE_S = 2.5
# sshd may be up before the keys are in place; after that a refusal is final, and waiting for it costs money.
REFUSED_FOR_S = 30.0
# A call of the guard to the API may take 30 s, and may have to be made twice.
PROOF_WITHIN_S = 45.0


def connect(run: Run) -> None:
    """The pod answers over SSH with the pinned key, and the guard is armed.

    A pod that does not boot is deleted and the next candidate is tried once. Raises BootTimeout, LimitReached.
    """
    if run.state.pod.address is None:
        boot(run)
    if run.state.pod.guard_deadline_at is None:
        with_reconnects(run, "arming the guard", lambda: arm(run), run_limit(run))
    snapshots.at_start(run)


def boot(run: Run) -> None:
    """A pod of this run answers over SSH."""
    while True:
        discard(run)
        provision(run)
        last = bool(run.state.pod.abandoned)
        try:
            return await_ssh(run)
        except BootTimeout as error:
            if run.state.job.pid is not None:
                raise  # a pod that may hold results is not abandoned
            run.record(PodAbandoned(pod_id=run.state.pod.id or "", reason=error.message))
            discard(run)
            if last or not untried(run):
                raise


def discard(run: Run) -> None:
    """The abandoned pod, if there is one, is gone. Raises BootTimeout if the API does not confirm that."""
    pod_id = run.state.pod.discarding
    if pod_id is None:
        return
    try:
        confirm_deleted(run, pod_id)
    except ReleaseUnconfirmed as error:
        raise BootTimeout(f"the pod never booted, and then: {error.message}", hint=error.hint) from error
    run.record(PodDiscarded(pod_id=pod_id))


def await_ssh(run: Run) -> None:
    """The pod's address is recorded and it answers there. Raises BootTimeout."""
    begun = run.world.clock.monotonic()
    within_s = run.spec.job.budget.ssh_ready_timeout_sec
    wait = BootWait(run, begun)
    try:
        wait_until(run.world.clock, wait.look, every_s=BOOT_EVERY_S, within_s=within_s, what="SSH")
    except TimeoutError:
        raise BootTimeout(
            f"pod {run.state.pod.id} did not answer over SSH within {within_s} s; it had come as far as: "
            f"{'; '.join(filter(None, (wait.stage, wait.silence)))}",
            hint="the image may be large, missing or without sshd: check pod.image, or raise "
            "budget.ssh_ready_timeout_sec; while a pod boots, its host's log is shown by "
            f"`runpod-deploy logs --system {run.dir.path}`",
        ) from None


class BootWait:
    """The wait for one pod to boot, as one look after the other."""

    def __init__(self, run: Run, begun: float) -> None:
        self.run = run
        self.begun = begun
        self.stage = ""
        self.seen = False
        self.silence = ""
        """Why the pod did not answer the last time."""
        self.refused_at: float | None = None

    def look(self) -> bool | None:
        """True once the pod answers; None while it may still come. Raises BootTimeout once it cannot any more."""
        enforce(self.run)
        heartbeat.record_if_due(self.run, self.stage)
        pod = self.ask()
        if pod is None:
            return None
        self.enter(self.run.world.cloud.boot_stage(pod))
        if pod.status in GONE_STATES and self.is_gone(pod):
            raise BootTimeout(f"pod {pod.id} went to {pod.status} while booting")
        if pod.address is None or pod.uptime_s is None:
            return None
        if (error := self.run.try_host(pod.address)) is not None:
            self.keep_reason(error)
            return None
        self.run.record(PodReachable(host=pod.address.host, port=pod.address.port))
        return True

    def ask(self) -> Pod | None:
        """The pod, or None if the API cannot tell. Raises BootTimeout if it is gone for good."""
        try:
            pod = self.run.world.cloud.look(self.run.state.pod.id or "", max_age_s=self.listing_age_s())
        except CloudUnreachable as error:
            self.run.record(Retried(what="looking at the pod", error=error.message, in_sec=BOOT_EVERY_S))
            return None
        if pod is None and (self.seen or self.elapsed_s() > UNSEEN_FOR_S):
            raise BootTimeout(f"pod {self.run.state.pod.id} vanished while booting")
        self.seen = self.seen or pod is not None
        return pod

    def is_gone(self, pod: Pod) -> bool:
        """Whether the API confirms it: a shared listing may show a paused pod as it was before it was started."""
        now = self.run.world.cloud.get(pod.id)
        return now is None or now.status in GONE_STATES

    def enter(self, stage: str) -> None:
        """The stage is recorded if it is a new one."""
        if stage != self.stage:
            self.stage = stage
            self.run.record(PodBooting(stage=stage, elapsed_sec=round(self.elapsed_s(), 3)))

    def keep_reason(self, error: SshLost) -> None:
        """The reason why the pod does not answer is kept. Raises BootTimeout if it goes on refusing our key."""
        self.silence = error.message
        if error.reason != "auth":
            self.refused_at = None
        elif self.refused_at is None:
            self.refused_at = self.elapsed_s()
        elif self.elapsed_s() - self.refused_at > REFUSED_FOR_S:
            raise BootTimeout(f"pod {self.run.state.pod.id} refuses our SSH key: {error.message}", hint=error.hint)

    def listing_age_s(self) -> float:
        """The greatest age of a shared listing that is still good enough."""
        return FIRST_LISTING_AGE_S if self.elapsed_s() < FIRST_LOOKS_S else LISTING_AGE_S

    def elapsed_s(self) -> float:
        """Seconds since the wait began."""
        return self.run.world.clock.monotonic() - self.begun


def arm(run: Run) -> None:
    """The guard has its terms and runs. Raises BootTimeout if it does not run and the config requires it."""
    assert run.state.cost.stop_at
    deadline = guard_deadline(run.state.cost.stop_at, run.spec.job.budget)
    problem = missing_proof(run, guard_terms(run, deadline))
    if not problem:
        run.record(GuardArmed(deadline_at=deadline))
    elif run.spec.job.guard.required:
        raise BootTimeout(
            f"the guard on the pod did not prove that it can end the pod: {problem}",
            hint="to reach the API the image needs curl, wget or python3, and CA certificates; "
            "to run without a guard, write guard: {required: false} in the config",
        )
    else:
        run.record(GuardMissing(reason=problem))


def missing_proof(run: Run, terms: GuardTerms) -> str:
    """Empty once the guard has its terms and has proved that it runs, else why not. Raises LimitReached."""
    problem = [""]

    def look() -> bool | None:
        enforce(run)
        problem[0] = run.host.arm(terms)
        return None if problem[0] else True

    try:
        wait_until(run.world.clock, look, every_s=1.0, within_s=PROOF_WITHIN_S, what="the guard's proof of life")
    except TimeoutError:
        return problem[0]
    return ""
