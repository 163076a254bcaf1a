"""One case on a simulator of its own: what the driver did, and what the ledger says. Judges nothing."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..cloud.volumes import add_volume
from ..faults.facts import facts_of_pod
from ..faults.fault import parse
from ..records.images import Images
from ..records.pods import UP, Pod
from ..simulator import Settings, Simulator, simulate
from .calls import RUN_ID, call_driver, first_args
from .cases import BY_RUN_ID, RECYCLED, TWO_FOLDERS, Case
from .driver import Driver
from .foreign import ForeignPods
from .guards import SHORT_S, undisturbed, wait_for_guards
from .outcome import Before, Outcome, before, fill_in, own
from .project import Project, volume_of

CASE_WITHIN_S = 600.0
UNCONFIRMED = 9
"""The exit code of a run that could not make sure that its pod is gone; its last lines name the pod."""


@dataclass(frozen=True, slots=True)
class Target:
    """The driver and the project under test; the same in all cases."""

    command: Sequence[str]
    project: Project
    usd_per_hour: float | None = None
    """Price of the pod in an undisturbed run; None until it is known."""
    images: Images = field(default_factory=Images)
    """What the project's images bring."""
    keep: Path | None = None
    """Folder to keep the folders of the cases in; None: they are deleted."""

    def cap_usd(self, case: Case) -> float:
        """The cap of the run."""
        if self.usd_per_hour is None or not case.short:
            return self.project.cap_usd
        return round(self.usd_per_hour * SHORT_S / 3600, 6)

    def args(self, case: Case, cap_usd: float) -> list[str]:
        """The arguments of the driver's first call."""
        return first_args(case, str(self.project.config), cap_usd)


@dataclass(slots=True)
class Stage:
    """Everything that one case takes place on."""

    case: Case
    target: Target
    simulator: Simulator
    foreign: ForeignPods
    driver: Driver
    other: Driver | None
    """The driver in the other folder, whose run has the same id."""

    def own(self) -> list[Pod]:
        """The pods of the driver's run."""
        return own(self.simulator.cloud, self.foreign.pods, self.other)


async def run_case(case: Case, target: Target) -> Outcome:
    """The outcome of the case; no pod and no process of it is left."""
    async with staged(case, target) as stage:
        since = await prepared(stage)
        outcome = Outcome(case)
        try:
            async with asyncio.timeout(CASE_WITHIN_S):
                await carry_out(stage, outcome, since)
        except TimeoutError:
            outcome.hung = True
        fill_in(outcome, stage.driver, stage.own(), target.cap_usd(case), since)
        if stage.other and outcome.other:
            pods = [pod for pod in stage.simulator.cloud.pods.values() if stage.other.names(pod.id)]
            fill_in(outcome.other, stage.other, pods, target.project.cap_usd, Before())
        outcome.touched = stage.foreign.touched()
        if target.keep:
            kept = target.keep / f"case-{case.number}"
            shutil.copytree(stage.driver.copy.parent, kept, symlinks=True, dirs_exist_ok=True)
        return outcome


@contextlib.asynccontextmanager
async def staged(case: Case, target: Target) -> AsyncIterator[Stage]:
    """A simulator with the pods of other people, and a copy of the project with a driver, or two of them."""
    async with simulate(Settings(images=target.images)) as simulator:
        with contextlib.ExitStack() as stack:
            copy = stack.enter_context(target.project.copied(case.variant))
            driver = Driver(target.command, copy, simulator.exports, case.disturbances)
            other = None
            if case.resume_method == TWO_FOLDERS:
                second = stack.enter_context(target.project.copied(case.variant))
                other = Driver(target.command, second, simulator.exports)
            create_volume(simulator, copy / target.project.config)
            foreign = ForeignPods(simulator.cloud)
            foreign.add(RUN_ID)
            yield Stage(case, target, simulator, foreign, driver, other)


async def prepared(stage: Stage) -> Before:
    """The cloud has its faults; a recycled pod is paused, and has those of pods. Raises ValueError."""
    cloud = stage.simulator.cloud
    if stage.case.variant == RECYCLED:
        earlier = Driver(stage.target.command, stage.driver.copy, stage.simulator.exports, name="earlier-")
        code = await earlier.call(undisturbed, *stage.target.args(Case(), stage.target.project.cap_usd))
        if code != 0 or any(pod.status in UP for pod in stage.own()):
            raise ValueError(f"the run before ended with {code}\n{earlier.output()[-3000:]}")
    cloud.faults.rows.extend(parse(fault) for fault in stage.case.faults)
    for pod in stage.own():
        pod.faults |= cloud.faults.on_pod(facts_of_pod(pod))
        pod.spec["locked"] = "locked" in pod.faults
    return before(stage.own())


async def carry_out(stage: Stage, outcome: Outcome, since: Before) -> None:
    """Every driver has ended, and every guard has had its time."""
    case, cloud = stage.case, stage.simulator.cloud
    naming = asyncio.create_task(name_foreign_pods(stage))
    args = stage.target.args(case, stage.target.cap_usd(case))
    other = stage.other and asyncio.create_task(run_other(stage))
    outcome.code = await call_driver(stage.driver, case, args, cloud)
    naming.cancel()
    if outcome.code is not None:
        up = [pod.id for pod in stage.own() if pod.status in UP]
        said = stage.driver.output()[-3000:] if outcome.code == UNCONFIRMED else ""
        outcome.unnamed = [pod_id for pod_id in up if pod_id not in said]
    if other:
        outcome.other = Outcome(case, code=await other)
        # Only now the other run's journal names its pods.
        outcome.unnamed = [pod.id for pod in stage.own() if pod.id in outcome.unnamed]
    if outcome.code is None or (case.short and any(pod.status in UP for pod in stage.own())):
        await wait_for_guards(stage.driver, outcome, stage.own, since)


async def run_other(stage: Stage) -> int | None:
    """The exit code of the run in the other folder, which nobody disturbs."""
    assert stage.other
    case = Case(resume_method=stage.case.resume_method, faults=stage.case.faults)
    args = stage.target.args(case, stage.target.project.cap_usd)
    return await call_driver(stage.other, case, args, stage.simulator.cloud)


async def name_foreign_pods(stage: Stage) -> None:
    """Pods of other runs have the name of this one, as soon as it is known."""
    while stage.driver.run_dir is None:
        await asyncio.sleep(0.005)
    if stage.case.resume_method not in (BY_RUN_ID, TWO_FOLDERS):
        stage.foreign.rename(f"{stage.target.project.name}-{stage.driver.run_dir.name}")


def create_volume(simulator: Simulator, config: Path) -> None:
    """The account has the network volume that the config names, in a datacenter that the config allows."""
    if (wanted := volume_of(config)) is not None:
        cloud, (name, allowed) = simulator.cloud, wanted
        able = [home for home, row in cloud.catalogue.datacenters.items() if row["networkVolumeTypes"]]
        home = next((place for place in allowed if place in able), able[0])
        add_volume(cloud, name=name, size_gb=10, datacenter=home)
