"""One case, on a simulator of its own: what the driver did, and what the ledger says. Judges nothing."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..clock import now
from ..cloud.volumes import add_volume
from ..faults.faults import FOREVER, Fault, parse
from ..records.pods import UP, Pod
from ..simulator import Settings, Simulator, simulate
from .cases import PLAIN, Blow, Case
from .driver import STRUCK_DEAD, Driver
from .project import PULL_GRACE_S, START_LINE, Project, files_of, volume_of

# What the driver and the guard may take after the limit: end the job, pull, and as much again to release.
GRACE_S = 10 + 2 * PULL_GRACE_S
# The guard looks each second, waits 5 and 10 s after deletions that were ignored, and the machine may be busy.
SLACK_S = 30
SHORT_S = 15.0
"""What the cap buys in a run that nobody takes up again."""
PAUSE_S, OUTAGE_S = 4.0, 3.0
BOOT_WITHIN_S = 20
AUDIT_GRACE_S = 125
"""An audit takes no pod for a leftover sooner after its guard's time: its driver may be on another machine."""
CASE_WITHIN_S = 240.0
RESUMES = 8
TRY_AGAIN = (5, 6, 9)
"""Exit codes after which a user resumes: the API or the pod could not be reached, or the pod may still bill."""
BEYOND_REACH = "other-host-key"
"""No driver can get past it without a person; the guard has to end the pod, so its cap is small."""
LOST = ("never-running", "sshd-never", "image-pull-fails", "crash-loop", "ssh-key-refused")


@dataclass(slots=True)
class Played:
    """What happened."""

    case: Case
    code: int | None = None
    """The last exit code; None if the driver was killed for good, or did not end."""
    hung: bool = False
    killed_after: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    pods: int = 0
    usd_per_hour: float = 0.0
    starts: int = 0
    left_after_grace: list[str] = field(default_factory=list)
    """Pods whose guard could have ended them and that still billed when even its time was over."""
    reaped: bool = False
    """Whether it took an audit to end what no guard could."""
    left: list[str] = field(default_factory=list)
    """Pods that billed at the very end, after an audit if nobody resumed."""
    overspent_s: float = 0.0
    files: dict[str, str] = field(default_factory=dict)
    words: str = ""
    """The end of what the driver printed."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What all cases share."""

    command: Sequence[str]
    project: Project
    usd_per_hour: float | None = None
    """What the pod of an undisturbed run costs."""
    keep: Path | None = None
    """Where the folders of the cases are kept."""

    def cap_usd(self, case: Case) -> float:
        """What the run may cost."""
        reachable = all(fault["what"] != BEYOND_REACH for fault in case.faults)
        if self.usd_per_hour is None or (case.resumed and reachable):
            return self.project.cap_usd
        return round(self.usd_per_hour * SHORT_S / 3600, 6)


async def play(case: Case, stage: Stage) -> Played:
    """The case from beginning to end; no pod and no process of it is left."""
    faults = tuple(parse(fault) for fault in case.faults)
    async with simulate(Settings(faults=faults)) as simulator:
        with stage.project.copied(case.ground) as copy:
            provide(simulator, copy / stage.project.config)
            actor = Driver(stage.command, copy, simulator.exports, case.blows)
            played = Played(case)
            try:
                async with asyncio.timeout(CASE_WITHIN_S):
                    played.code = await carry_out(actor, case, stage, simulator)
                    if played.code is None:
                        await outlive(actor, played, simulator)
            except TimeoutError:
                played.hung = True
            record(played, actor, stage, simulator)
            if stage.keep:
                shutil.copytree(copy.parent, stage.keep / f"case-{case.number}", symlinks=True, dirs_exist_ok=True)
            return played


def provide(simulator: Simulator, config: Path) -> None:
    """The account has the network volume that the config names, where the config may look for it."""
    if (wanted := volume_of(config)) is not None:
        cloud, (name, asked) = simulator.cloud, wanted
        able = [home for home, row in cloud.catalogue.datacenters.items() if row["networkVolumeTypes"]]
        home = next((place for place in asked if place in able), able[0])
        add_volume(cloud, name=name, size_gb=10, datacenter=home)


async def carry_out(actor: Driver, case: Case, stage: Stage, simulator: Simulator) -> int | None:
    """The driver's last exit code, None if it was killed for good."""

    async def strike(driver: Driver, blow: Blow) -> None:
        await struck(driver, blow, simulator)

    words = begin_words(case, stage)
    code = await actor.call(strike, *words)
    if case.way == "detach" and code == 0:
        code = await actor.call(strike, "attach", str(actor.run_dir))
    for _ in range(RESUMES):
        last = not any(blow.what == "kill" for blow in actor.blows)
        if code in STRUCK_DEAD and last and not case.resumed:
            return None
        if code not in (*STRUCK_DEAD, *TRY_AGAIN) or actor.run_dir is None:
            break
        code = await actor.call(strike, *again_words(case, words, actor.run_dir))
    return code


def begin_words(case: Case, stage: Stage) -> list[str]:
    """What the driver is first called with."""
    words = ["run", "--config", str(stage.project.config), "--print-run-dir"]
    words += ["--cost-cap-usd", str(stage.cap_usd(case))]
    words += {"run id": ["--run-id", "chaos", "--wait", "60"], "detach": ["--detach"]}.get(case.way, [])
    if any(fault["what"] in LOST for fault in case.faults):
        words += ["--ssh-ready-timeout-sec", str(BOOT_WITHIN_S)]
    return words


def again_words(case: Case, words: list[str], run_dir: Path) -> list[str]:
    """What the driver is called with after it was killed."""
    if case.way == "run id":
        return words
    return ["resume" if case.way == PLAIN else "attach", str(run_dir)]


async def struck(driver: Driver, blow: Blow, simulator: Simulator) -> None:
    """The blow has fallen."""
    cloud = simulator.cloud
    match blow.what:
        case "kill":
            driver.kill()
        case "interrupt":
            driver.signal(signal.SIGTERM)
        case "pause":
            driver.signal(signal.SIGSTOP)
            await asyncio.sleep(PAUSE_S)
            driver.signal(signal.SIGCONT)
        case "outage":
            outage = Fault("*", "refuse", times=FOREVER, parameters={"status": 503, "html": False})
            cloud.faults.rows.insert(0, outage)
            asyncio.get_running_loop().call_later(OUTAGE_S, cloud.faults.rows.remove, outage)
        case "drop-ssh":
            for life in cloud.lives.values():
                life.sshd.drop()
        case "restart-container":
            for life in cloud.lives.values():
                if life.container is not None:
                    life.container.signal(signal.SIGKILL)


async def outlive(actor: Driver, played: Played, simulator: Simulator) -> None:
    """The guard has had its time; what never booted has been left to an audit."""
    pods = simulator.cloud.pods.values()
    while any(pod.status in UP and now() < pod.created_at + lasts_s(pod, actor) for pod in pods):
        await asyncio.sleep(0.2)
    still = [pod for pod in pods if pod.status in UP]
    played.left_after_grace = [pod.id for pod in still if guarded(pod, actor)]
    if still:
        played.reaped = not played.left_after_grace
        await actor.call(no_strike, "audit", "--reap", "--yes")


def guarded(pod: Pod, actor: Driver) -> bool:
    """Whether the pod's guard can end it: it is the first thing in the container, or was started in it over SSH."""
    starts_guard = any(pod.ask.get(name) for name in ("entrypoint", "cmd", "args"))
    if pod.up_at is None or "key-revoked" in pod.troubles:
        return False
    return starts_guard or actor.last_at("guard_armed") > pod.up_at


def lasts_s(pod: Pod, actor: Driver) -> float:
    """How old the pod may become by itself; without a guard it is left to the audit, as soon as that may reap it."""
    if guarded(pod, actor):
        return SHORT_S + GRACE_S + SLACK_S
    if pod.up_at is None:
        return SHORT_S + BOOT_WITHIN_S
    return max(0.0, pod.up_at - pod.created_at) + SHORT_S + GRACE_S + AUDIT_GRACE_S


async def no_strike(_driver: Driver, _blow: Blow) -> None:
    """Nothing befalls an audit."""


def record(played: Played, actor: Driver, stage: Stage, simulator: Simulator) -> None:
    """All that is left to see is in the record."""
    pods = list(simulator.cloud.pods.values())
    played.events = actor.events()
    played.killed_after = actor.killed_after
    played.pods = len(pods)
    played.usd_per_hour = max((pod.usd_per_hour for pod in pods), default=0.0)
    played.starts = sum(START_LINE in line.text for pod in pods for line in pod.logs)
    played.left = [pod.id for pod in pods if pod.status in UP]
    played.overspent_s = max(0.0, overspent_s(pods, stage.cap_usd(played.case)))
    played.files = files_of(actor.copy, actor.run_dir)
    played.words = actor.err.read_text(errors="replace")[-3000:] if actor.err.exists() else ""


def overspent_s(pods: Sequence[Pod], cap_usd: float) -> float:
    """How long the pods went on after their cap was used up, by the meters of their machines; below 0: none did."""
    if not pods:
        return 0.0
    spent = sum(stretch.usd("gpu") + stretch.usd("cpu") for pod in pods for stretch in pod.meter.stretches(now()))
    return (spent - cap_usd) / pods[-1].usd_per_hour * 3600
