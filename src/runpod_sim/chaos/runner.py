"""One case on a simulator of its own: what the driver did, and what the ledger says. Judges nothing."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..clock import now
from ..cloud.volumes import add_volume
from ..faults.fault import Fault, parse
from ..faults.kinds import FOREVER
from ..records.pods import UP, Pod
from ..simulator import Settings, Simulator, simulate
from .cases import BY_FOLDER, Case, Disturbance
from .driver import KILLED, Driver
from .project import PULL_GRACE_S, START_LINE, Project, files_of, volume_of

GRACE_S = 10 + 2 * PULL_GRACE_S
"""Time for driver and guard after the limit: 10 s to end the job, then the pull, and as long again to release."""
SLACK_S = 30
"""The guard looks each second, waits 5 and 10 s after deletions that were ignored, and the machine may be busy."""
SHORT_S = 15.0
"""The time that the cap of a run pays for if nobody resumes the run."""
PAUSE_S, OUTAGE_S = 4.0, 3.0
BOOT_WITHIN_S = 20
AUDIT_GRACE_S = 125
"""Time after the guard's deadline in which an audit keeps a pod: its driver may be on another machine."""
CASE_WITHIN_S = 420.0
RESUMES = 8
TRY_AGAIN = (5, 6, 9)
"""Exit codes after which a user resumes: the API or the pod could not be reached, or the pod may still bill."""
NEEDS_A_PERSON = "other-host-key"
"""No driver can resolve it without a person: the guard has to end the pod, so its cap is small."""
BOOT_FAILURES = ("never-running", "sshd-never", "image-pull-fails", "crash-loop", "ssh-key-refused")


@dataclass(slots=True)
class Outcome:
    """The facts about one case, once it is over."""

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
    """Pods that still billed after the guard's deadline although their guard could have ended them."""
    reaped: bool = False
    """Whether an audit had to delete pods that no guard could end."""
    left: list[str] = field(default_factory=list)
    """Pods that billed at the end: after an audit, if nobody resumed."""
    overspent_s: float = 0.0
    files: dict[str, str] = field(default_factory=dict)
    stderr: str = ""
    """The end of the driver's output."""


@dataclass(frozen=True, slots=True)
class Target:
    """The driver and the project under test; the same in all cases."""

    command: Sequence[str]
    project: Project
    usd_per_hour: float | None = None
    """Price of the pod in an undisturbed run; None until it is known."""
    keep: Path | None = None
    """Folder to keep the folders of the cases in; None: they are deleted."""

    def cap_usd(self, case: Case) -> float:
        """The cap of the run."""
        solvable = all(fault["what"] != NEEDS_A_PERSON for fault in case.faults)
        if self.usd_per_hour is None or (case.resumed and solvable):
            return self.project.cap_usd
        return round(self.usd_per_hour * SHORT_S / 3600, 6)


async def run_case(case: Case, target: Target) -> Outcome:
    """The outcome of the case; no pod and no process of it is left."""
    faults = tuple(parse(fault) for fault in case.faults)
    async with simulate(Settings(faults=faults)) as simulator:
        with target.project.copied(case.variant) as copy:
            create_volume(simulator, copy / target.project.config)
            driver = Driver(target.command, copy, simulator.exports, case.disturbances)
            outcome = Outcome(case)
            try:
                async with asyncio.timeout(CASE_WITHIN_S):
                    outcome.code = await call_driver(driver, case, target, simulator)
                    if outcome.code is None:
                        await wait_for_guard(driver, outcome, simulator)
            except TimeoutError:
                outcome.hung = True
            fill_in(outcome, driver, target, simulator)
            if target.keep:
                shutil.copytree(copy.parent, target.keep / f"case-{case.number}", symlinks=True, dirs_exist_ok=True)
            return outcome


def create_volume(simulator: Simulator, config: Path) -> None:
    """The account has the network volume that the config names, in a datacenter that the config allows."""
    if (wanted := volume_of(config)) is not None:
        cloud, (name, allowed) = simulator.cloud, wanted
        able = [home for home, row in cloud.catalogue.datacenters.items() if row["networkVolumeTypes"]]
        home = next((place for place in allowed if place in able), able[0])
        add_volume(cloud, name=name, size_gb=10, datacenter=home)


async def call_driver(driver: Driver, case: Case, target: Target, simulator: Simulator) -> int | None:
    """The driver's last exit code, None if it was killed for good."""

    async def on_row(driver: Driver, disturbance: Disturbance) -> None:
        await disturb(driver, disturbance, simulator)

    args = first_args(case, target)
    code = await driver.call(on_row, *args)
    if case.resume_method == "detach" and code == 0:
        code = await driver.call(on_row, "attach", str(driver.run_dir))
    for _ in range(RESUMES):
        last = not any(disturbance.what == "kill" for disturbance in driver.disturbances)
        if code in KILLED and last and not case.resumed:
            return None
        if code not in (*KILLED, *TRY_AGAIN) or driver.run_dir is None:
            break
        code = await driver.call(on_row, *next_args(case, args, driver.run_dir))
    return code


def first_args(case: Case, target: Target) -> list[str]:
    """The arguments of the driver's first call."""
    args = ["run", "--config", str(target.project.config), "--print-run-dir"]
    args += ["--cost-cap-usd", str(target.cap_usd(case))]
    args += {"run id": ["--run-id", "chaos", "--wait", "60"], "detach": ["--detach"]}.get(case.resume_method, [])
    if any(fault["what"] in BOOT_FAILURES for fault in case.faults):
        args += ["--ssh-ready-timeout-sec", str(BOOT_WITHIN_S)]
    return args


def next_args(case: Case, first: list[str], run_dir: Path) -> list[str]:
    """The arguments of the driver's next call, after it was killed."""
    if case.resume_method == "run id":
        return first
    return ["resume" if case.resume_method == BY_FOLDER else "attach", str(run_dir)]


async def disturb(driver: Driver, disturbance: Disturbance, simulator: Simulator) -> None:
    """The disturbance has happened."""
    cloud = simulator.cloud
    match disturbance.what:
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
            for supervisor in cloud.supervisors.values():
                supervisor.sshd.drop()
        case "restart-container":
            for supervisor in cloud.supervisors.values():
                if supervisor.container is not None:
                    supervisor.container.signal(signal.SIGKILL)


async def wait_for_guard(driver: Driver, outcome: Outcome, simulator: Simulator) -> None:
    """Every guard has had its time; pods that still run then have been given to an audit."""
    pods = simulator.cloud.pods.values()
    while any(pod.status in UP and now() < pod.created_at + may_run_s(pod, driver) for pod in pods):
        await asyncio.sleep(0.2)
    still = [pod for pod in pods if pod.status in UP]
    outcome.left_after_grace = [pod.id for pod in still if guarded(pod, driver)]
    if still:
        outcome.reaped = not outcome.left_after_grace
        await driver.call(undisturbed, "audit", "--reap", "--yes")


def guarded(pod: Pod, driver: Driver) -> bool:
    """Whether the pod's guard can end it: the start command starts it, or it was started over SSH."""
    starts_guard = any(pod.spec.get(name) for name in ("entrypoint", "cmd", "args"))
    if pod.up_at is None or "key-revoked" in pod.faults:
        return False
    return starts_guard or driver.last_at("guard_armed") > pod.up_at


def may_run_s(pod: Pod, driver: Driver) -> float:
    """The age at which the guard has ended the pod; without a guard, at which an audit may delete it."""
    if guarded(pod, driver):
        return SHORT_S + GRACE_S + SLACK_S
    if pod.up_at is None:
        return SHORT_S + BOOT_WITHIN_S
    return max(0.0, pod.up_at - pod.created_at) + SHORT_S + GRACE_S + AUDIT_GRACE_S


async def undisturbed(_driver: Driver, _disturbance: Disturbance) -> None:
    """Nothing happens: an audit is never disturbed."""


def fill_in(outcome: Outcome, driver: Driver, target: Target, simulator: Simulator) -> None:
    """The outcome has all that can be seen afterwards."""
    pods = list(simulator.cloud.pods.values())
    outcome.events = driver.events()
    outcome.killed_after = driver.killed_after
    outcome.pods = len(pods)
    outcome.usd_per_hour = max((pod.usd_per_hour for pod in pods), default=0.0)
    outcome.starts = sum(START_LINE in line.text for pod in pods for line in pod.logs)
    outcome.left = [pod.id for pod in pods if pod.status in UP]
    outcome.overspent_s = max(0.0, overspent_s(pods, target.cap_usd(outcome.case)))
    outcome.files = files_of(driver.copy, driver.run_dir)
    outcome.stderr = driver.err.read_text(errors="replace")[-3000:] if driver.err.exists() else ""


def overspent_s(pods: Sequence[Pod], cap_usd: float) -> float:
    """For how long the pods billed after the cap was used up, by their GPU and CPU meters; negative: they did not."""
    if not pods:
        return 0.0
    spent = sum(period.usd("gpu") + period.usd("cpu") for pod in pods for period in pod.meter.periods(now()))
    return (spent - cap_usd) / pods[-1].usd_per_hour * 3600
