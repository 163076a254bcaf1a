"""From a pod that exists to a pod that answers."""

from __future__ import annotations

from ..cloud.values import Pod
from ..errors import BootTimeout, CloudUnreachable, ReleaseUnconfirmed, SshLost
from ..machine.clock import wait_until
from ..money import guard_deadline
from ..pod.protocol import GuardTerms
from ..record.events import GuardArmed, GuardMissing, PodAbandoned, PodBooting, PodDiscarded, PodReachable, Retried
from ..run import Run
from . import snapshots
from .heartbeat import record_if_due
from .limits import enforce
from .provision import IDLE_S, provision, untried
from .reconnect import GONE_STATES, with_reconnects
from .release import UNSEEN_FOR_S, confirm_deleted

BOOT_EVERY_S = 0.3
# All waiting runs of a user share one listing. A fresh pod may be up at once; later there is no hurry, and fifty
# runs together must not ask more than thirty times a minute.
HURRY_S = 3.0
LISTING_AGE_IN_HURRY_S = 0.5
LISTING_AGE_S = 2.5
# sshd may be up before the keys are in place; after that a refusal is final, and waiting for it costs money.
REFUSED_FOR_S = 30.0
# One call of the guard's to the API may take 30 s, and may have to be made again.
PROOF_WITHIN_S = 45.0


def connect(run: Run) -> None:
    """The pod answers over SSH with the pinned key, and the guard is armed.

    A pod that does not boot is deleted and the next candidate is tried once. Raises BootTimeout, LimitReached.
    """
    if run.state.pod.address is None:
        boot(run)
    if run.state.pod.guard_deadline_at is None:
        with_reconnects(run, "arming the guard", lambda: arm(run))
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
                raise  # what holds results is not given up
            run.record(PodAbandoned(pod_id=run.state.pod.id or "", reason=error.message))
            discard(run)
            if last or not untried(run):
                raise


def discard(run: Run) -> None:
    """The pod that was given up, if there is one, is gone. Raises BootTimeout if that cannot be confirmed."""
    pod_id = run.state.pod.discarding
    if pod_id is None:
        return
    try:
        confirm_deleted(run, pod_id)
    except ReleaseUnconfirmed as error:
        raise BootTimeout(f"it never booted, and then: {error.message}") from error
    run.record(PodDiscarded(pod_id=pod_id))


def await_ssh(run: Run) -> None:
    """The pod's address is recorded and it answers there. Raises BootTimeout."""
    begun = run.world.clock.monotonic()
    within_s = run.spec.job.budget.ssh_ready_timeout_sec
    watch = BootWait(run, begun)
    try:
        wait_until(run.world.clock, watch.look, every_s=BOOT_EVERY_S, within_s=within_s, what="SSH")
    except TimeoutError:
        raise BootTimeout(
            f"pod {run.state.pod.id} did not answer over SSH within {within_s} s; it was still at: "
            f"{'; '.join(filter(None, (watch.stage, watch.silence)))}",
            hint="the image may be large, missing or without sshd; see `runpod-deploy logs`, "
            "or raise budget.ssh_ready_timeout_sec",
        ) from None


class BootWait:
    """One pod's way up, looked at again and again."""

    def __init__(self, run: Run, begun: float) -> None:
        self.run = run
        self.begun = begun
        self.stage = ""
        self.seen = False
        self.silence = ""
        """Why the pod did not answer the last time."""
        self.refused_at: float | None = None

    def look(self) -> bool | None:
        """True once the pod answers; None while it may still come. Raises BootTimeout when it cannot any more."""
        enforce(self.run)
        record_if_due(self.run, self.stage)
        pod = self.ask()
        if pod is None:
            return None
        self.enter(self.run.world.cloud.boot_stage(pod))
        if pod.status in GONE_STATES and self.is_gone(pod):
            raise BootTimeout(f"pod {pod.id} went to {pod.status} while booting")
        if pod.address is None or pod.uptime_s is None:
            return None
        if (error := self.run.try_host(pod.address)) is not None:
            self.note(error)
            return None
        self.run.record(PodReachable(host=pod.address.host, port=pod.address.port))
        return True

    def ask(self) -> Pod | None:
        """The pod, or None if the API does not know. Raises BootTimeout if it is gone for good."""
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
        """Whether the API itself says so: a shared listing may show a pod as it was before it was started."""
        now = self.run.world.cloud.get(pod.id)
        return now is None or now.status in GONE_STATES

    def enter(self, stage: str) -> None:
        """The stage is recorded if it is a new one."""
        if stage != self.stage:
            self.stage = stage
            self.run.record(PodBooting(stage=stage, elapsed_sec=round(self.elapsed_s(), 3)))

    def note(self, error: SshLost) -> None:
        """Why the pod does not answer is known. Raises BootTimeout when it refuses our key and goes on doing so."""
        self.silence = error.message
        if error.reason != "auth":
            self.refused_at = None
        elif self.refused_at is None:
            self.refused_at = self.elapsed_s()
        elif self.elapsed_s() - self.refused_at > REFUSED_FOR_S:
            raise BootTimeout(f"pod {self.run.state.pod.id} refuses our SSH key: {error.message}", hint=error.hint)

    def listing_age_s(self) -> float:
        """How old a shared listing may be to be looked at."""
        return LISTING_AGE_IN_HURRY_S if self.elapsed_s() < HURRY_S else LISTING_AGE_S

    def elapsed_s(self) -> float:
        """Seconds since the wait began."""
        return self.run.world.clock.monotonic() - self.begun


def arm(run: Run) -> None:
    """The guard has its terms and lives. Raises BootTimeout if it does not and the config requires it."""
    assert run.state.cost.stop_at
    budget, policy = run.spec.job.budget, run.spec.job.lifecycle
    deadline = guard_deadline(run.state.cost.stop_at, budget)
    terms = GuardTerms(
        deadline_at=deadline,
        idle_s=IDLE_S,
        on_failure=policy.on_failure,
        api_base_url=run.world.api_base_url,
    )
    silence = unproven(run, terms)
    if not silence:
        run.record(GuardArmed(deadline_at=deadline))
    elif run.spec.job.guard.required:
        raise BootTimeout(
            f"the guard on the pod gave no proof that it could end it: {silence}",
            hint="the image needs curl, wget or python3, and CA certificates, to reach the API; "
            "or allow to go on without it by guard: {required: false}",
        )
    else:
        run.record(GuardMissing(reason=silence))


def unproven(run: Run, terms: GuardTerms) -> str:
    """Empty once the guard has its terms and has proved that it lives, else its last words. Raises LimitReached."""
    words = [""]

    def look() -> bool | None:
        enforce(run)
        words[0] = run.host.arm(terms)
        return None if words[0] else True

    try:
        wait_until(run.world.clock, look, every_s=1.0, within_s=PROOF_WITHIN_S, what="the guard's proof of life")
    except TimeoutError:
        return words[0]
    return ""
