"""The calls of a driver in one case, and what happens to it meanwhile. Knows the simulator and the command line."""

from __future__ import annotations

import asyncio
import signal

from ..cloud.cloud import Cloud
from ..faults.fault import Fault
from ..faults.kinds import FOREVER
from .cases import BY_FOLDER, BY_RUN_ID, DETACH, DETACH_END, DETACH_PULL, DETACH_STOP, TWO_FOLDERS, Case, Disturbance
from .driver import KILLED, Driver
from .fault_lists import BOOT_FAILURES
from .guards import BOOT_WITHIN_S, undisturbed

PAUSE_S, OUTAGE_S = 4.0, 3.0
RESUMES = 8
TRY_AGAIN = (5, 6, 9)
"""Exit codes after which a user resumes: the API or the pod could not be reached, or the pod may still bill."""
RUN_ID = "chaos"
WITH_ID = ["--run-id", RUN_ID, "--wait", "60"]
LEAVING = ["--detach", "--leave-to-guard"]
FIRST = {
    BY_RUN_ID: WITH_ID,
    TWO_FOLDERS: WITH_ID,
    DETACH: LEAVING,
    DETACH_PULL: LEAVING,
    DETACH_STOP: LEAVING,
    DETACH_END: LEAVING,
}
"""What the first call has in addition, by the way to continue."""


async def call_driver(driver: Driver, case: Case, args: list[str], cloud: Cloud) -> int | None:
    """The driver's last exit code, None if it was killed for good. args are those of its first call."""

    async def on_row(driver: Driver, disturbance: Disturbance) -> None:
        await disturb(driver, disturbance, cloud)

    code = await driver.call(on_row, *args)
    if "--detach" in args and code == 0:
        await meanwhile(driver, case)
        code = await driver.call(on_row, "attach", "--drive", str(driver.run_dir))
    for _ in range(RESUMES):
        last = not any(disturbance.what == "kill" for disturbance in driver.disturbances)
        if code in KILLED and last and not case.resumed:
            return None
        if code not in (*KILLED, *TRY_AGAIN) or driver.run_dir is None:
            break
        args = again(case, args, str(driver.run_dir))
        code = await driver.call(on_row, *args)
    return code


async def meanwhile(driver: Driver, case: Case) -> None:
    """What the user of a detached run does has been done; it may fail without harm."""
    if case.resume_method == DETACH_PULL:
        await driver.call(undisturbed, "pull", str(driver.run_dir))
    if case.resume_method == DETACH_STOP:
        await driver.call(undisturbed, "stop", "--state-file", "pod.json")
    if case.resume_method == DETACH_END:
        await driver.call(undisturbed, "stop", str(driver.run_dir))


def first_args(case: Case, config: str, cap_usd: float) -> list[str]:
    """The arguments of the driver's first call."""
    args = ["run", "--config", config, "--print-run-dir", "--cost-cap-usd", str(cap_usd)]
    args += FIRST.get(case.resume_method, [])
    return [*args, "--ssh-ready-timeout-sec", str(BOOT_WITHIN_S)] if case.has(*BOOT_FAILURES) else args


def again(case: Case, first: list[str], run_dir: str) -> list[str]:
    """The arguments of the driver's next call, after it was killed."""
    if "--run-id" in first:
        return first
    return ["resume", run_dir] if case.resume_method == BY_FOLDER else ["attach", "--drive", run_dir]


async def disturb(driver: Driver, disturbance: Disturbance, cloud: Cloud) -> None:
    """The disturbance has happened."""
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
