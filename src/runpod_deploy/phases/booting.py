"""The wait for one pod to boot: what the API, the pod's host and SSH say, look after look."""

from __future__ import annotations

from ..cloud.host_causes import Cause, cause_in
from ..cloud.proxy import proxy_urls
from ..cloud.removal import LOOKS_APART_S
from ..cloud.values import Candidate, Pod
from ..errors import BootTimeout, DeployError, ImageRefused, SshLost, StockOut
from ..machine.clock import wait_until
from ..record.events import PodBooting, PodReachable, Retried
from ..run import Run
from . import heartbeat
from .delivered import differences
from .host_log import host_lines, keep_host_log
from .late import CREATE_TAKES_S
from .limits import enforce
from .reconnect import GONE_STATES

BOOT_EVERY_S = 0.3
# All waiting runs of a user share one listing. A fresh pod may be up within seconds, so the listing must be young at
# first; later it may be older: fifty runs together must not ask more than thirty times a minute.
FIRST_LOOKS_S = 3.0
FIRST_LISTING_AGE_S = 0.5
LISTING_AGE_S = 2.5
# The API has told the id of a new pod, so that it will show the pod: giving up too soon would leave it behind.
NEVER_SEEN_FOR_S = 2 * CREATE_TAKES_S
# After an answer of the API that does not help, the next look waits this long.
API_PAUSE_S = 5.0
# A host's trouble must still be there when its log is read again, 10 s after the first time.
HOST_CAUSE_FOR_S = 12.0
NO_PORT = "the pod runs, but RunPod shows no public address for its SSH port"
OTHER_HOST_HINT = "run again for another host, or add to pod.gpu_order or pod.datacenters"
# sshd may be up before the keys are in place; after that a refusal is final, and waiting for it costs money.
REFUSED_FOR_S = 30.0


def await_ssh(run: Run) -> None:
    """The pod's address is recorded and it answers there. Raises BootTimeout, ImageRefused, StockOut."""
    begun = run.world.clock.monotonic()
    within_s = run.spec.job.budget.ssh_ready_timeout_sec
    wait = BootWait(run, begun)
    try:
        wait_until(run.world.clock, wait.look, every_s=BOOT_EVERY_S, within_s=within_s, what="SSH")
    except TimeoutError:
        said = words_of_host(run)
        raise BootTimeout(
            f"pod {run.state.pod.id} did not answer over SSH within {within_s} s; it had come as far as: "
            f"{'; '.join(filter(None, (wait.stage, wait.silence, said)))}",
            hint="the image may be large, missing or without sshd: check pod.image, or raise "
            "budget.ssh_ready_timeout_sec; the log of the pod's host is shown by "
            f"`runpod-deploy logs --system {run.dir.path}`",
        ) from None


def words_of_host(run: Run) -> str:
    """The cause that the host's log names, or its last line. The log is kept. Raises ImageRefused."""
    lines = keep_host_log(run, run.state.pod.id or "")
    cause = cause_in(lines)
    if cause is not None and cause.kind.permanent:
        raise image_refused(run, cause)
    said = host_lines(lines)
    return str(cause) if cause else f"its host says last: {said[-1]}" if said else ""


def image_refused(run: Run, cause: Cause) -> ImageRefused:
    """The error for an image that no host can run."""
    return ImageRefused(
        f"pod {run.state.pod.id} cannot run {run.spec.job.pod.image}: {cause}",
        hint="check pod.image, and pod.registry_auth for a private registry; another host would say the same",
    )


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
        self.ask_at = FIRST_LOOKS_S
        """When a pod that no listing shows may be asked for by its id."""
        self.missing_at: float | None = None
        """Since when the API has not known the pod any more."""
        self.ill_at: float | None = None
        """Since when the host's log has named a cause that only another host can mend."""

    def look(self) -> bool | None:
        """True once the pod answers; None while it may still come.

        Raises BootTimeout, ImageRefused or StockOut once it cannot any more.
        """
        enforce(self.run)
        heartbeat.record_if_due(self.run, self.stage)
        pod = self.ask()
        if pod is None:
            return None
        self.enter(self.run.world.cloud.boot_stage(pod))
        self.heed_host(pod)
        if pod.status in GONE_STATES and self.is_gone(pod):
            said = words_of_host(self.run)
            raise BootTimeout(f"pod {pod.id} went to {pod.status} while booting" + (f": {said}" if said else ""))
        self.check_delivery(pod)
        return self.reach(pod)

    def reach(self, pod: Pod) -> bool | None:
        """True if the pod answers; None if not, and why is kept."""
        if pod.address is None:
            # The runtime has come, and with it the ports: without a public one nobody gets in.
            self.silence = NO_PORT if pod.status == "RUNNING" and pod.uptime_s is not None else self.silence
            return None
        self.run.told.add(pod.address)
        if (error := self.run.try_host(pod.address)) is not None:
            self.keep_reason(error)
            return None
        urls = proxy_urls(pod.id, self.run.spec.job.pod.ports)
        self.run.record(PodReachable(host=pod.address.host, port=pod.address.port, urls=urls))
        return True

    def ask(self) -> Pod | None:
        """The pod, or None if the API cannot tell: whatever it refuses, the pod may be booting.

        Raises BootTimeout if the pod is gone for good.
        """
        cloud, pod_id = self.run.world.cloud, self.run.state.pod.id or ""
        try:
            pod = cloud.look(pod_id, max_age_s=self.listing_age_s())
            asked = pod is None and self.elapsed_s() >= self.ask_at
            pod = cloud.get(pod_id) if asked else pod  # a listing may leave out a pod, or show it unreadably
        except DeployError as error:
            self.note_refusal(error)
            return None
        if pod is not None:
            self.seen, self.missing_at = True, None
        elif asked:
            self.note_absence()
        self.ask_at = self.elapsed_s() + API_PAUSE_S if asked else self.ask_at
        return pod

    def note_refusal(self, error: DeployError) -> None:
        """The journal has the API's refusal, once, and the next look waits a little."""
        if error.message != self.silence:
            self.silence = error.message
            self.run.record(Retried(what="looking at the pod", error=error.message, in_sec=API_PAUSE_S))
        self.run.world.clock.sleep(API_PAUSE_S)

    def note_absence(self) -> None:
        """One answer may be a mistake. Raises BootTimeout if looks some time apart agree that there is no such pod."""
        if self.missing_at is None:
            self.missing_at = self.elapsed_s()
        known = self.seen or self.elapsed_s() > NEVER_SEEN_FOR_S
        if known and self.elapsed_s() - self.missing_at >= LOOKS_APART_S:
            raise BootTimeout(f"pod {self.run.state.pod.id} vanished while booting")

    def heed_host(self, pod: Pod) -> None:
        """Raises ImageRefused if no host can run the image, BootTimeout if this host goes on saying that it cannot."""
        cause = cause_in(self.run.world.cloud.host_log(pod.id))
        if cause is None:
            self.ill_at = None
            return
        if self.ill_at is None:
            self.ill_at = self.elapsed_s()
        if cause.kind.permanent or self.elapsed_s() - self.ill_at >= HOST_CAUSE_FOR_S:
            said = words_of_host(self.run)
            raise BootTimeout(f"pod {pod.id} cannot start on its host: {said}", hint=OTHER_HOST_HINT)

    def check_delivery(self, pod: Pod) -> None:
        """Raises StockOut if the pod is not what was asked for, which the answer to the create call did not tell."""
        have = self.run.state.pod
        asked = Candidate(
            gpu_id=have.gpu_id or "", datacenter_id=have.datacenter_id or "", cloud_type=have.cloud_type or ""
        )
        if reasons := differences(self.run.spec.job, (asked,), pod):
            raise StockOut(f"pod {pod.id} is not what was asked for: {'; '.join(reasons)}", hint=OTHER_HOST_HINT)

    def is_gone(self, pod: Pod) -> bool:
        """Whether the API confirms it: a shared listing may show a paused pod as it was before it was started."""
        try:
            now = self.run.world.cloud.get(pod.id)
        except DeployError:
            return False
        return now is not None and now.status in GONE_STATES

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
