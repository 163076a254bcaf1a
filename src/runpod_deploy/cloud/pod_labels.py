"""Labels that say whose a pod is: variables in its environment, and its name. Pure; any machine can read them.

A name is not an identity: two machines can give one name to two runs, and people and the API can change it. Each run
therefore draws a random token, and the pods that it requests bear this token.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..money import Disks, affordable
from ..spec.instants import from_epoch, shifted
from .values import Pod

RUN_ID_LABEL = "RUNPOD_DEPLOY_RUN_ID"
TOKEN_LABEL = "RUNPOD_DEPLOY_RUN_TOKEN"
"""The random token of the run that requested the pod. Pods of versions before 2026-11 have none."""
TOKEN_BYTES = 16
DEADLINE_LABEL = "RUNPOD_DEPLOY_DEADLINE"
"""Seconds since the epoch: when the guard acts if it hears nothing more."""
BOOT_DEADLINE_LABEL = "RUNPOD_DEPLOY_BOOT_DEADLINE"
"""Seconds since the epoch: when the driver stops waiting for the boot."""
CAP_LABEL = "RUNPOD_DEPLOY_COST_CAP_USD"
"""The cap of the run. If the real price is below the expected one, the pod may live longer than its first deadline."""
CLOSING_LABEL = "RUNPOD_DEPLOY_CLOSING_S"
"""Seconds that the driver and the guard may take after the limit."""
WORK_LABEL = "RUNPOD_DEPLOY_WORK"
"""What the run does on its pod, as a checksum. Only pods bear it that any machine may go on with: see `--run-id`."""
LABELS = (RUN_ID_LABEL, TOKEN_LABEL, DEADLINE_LABEL, BOOT_DEADLINE_LABEL, CAP_LABEL, CLOSING_LABEL, WORK_LABEL)

RUN_NAME = re.compile(r".*-\d{8}T\d{6}Z(-\d+)?")
LONGEST_BOOT = timedelta(minutes=30)
"""For a pod without a label of how long its boot may take: twice the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodOrigin:
    """The run that a pod belongs to, and the instants until which it may exist."""

    run_id: str
    token: str
    """The token of that run; empty if the pod bears none."""
    labelled: bool
    """Whether the pod's environment names the run. A name alone may be given by others too."""
    deadline_at: datetime | None
    boot_deadline_at: datetime | None


def new_token() -> str:
    """A token that no other run has."""
    return secrets.token_hex(TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Whether the text can be the token of a run."""
    return re.fullmatch(f"[0-9a-f]{{{2 * TOKEN_BYTES}}}", text) is not None


def is_own_variable(name: str) -> bool:
    """Whether this tool or RunPod puts the variable into a pod's environment, and not the config."""
    return name == "PUBLIC_KEY" or name.startswith("RUNPOD_")


def token_of(pod: Pod) -> str:
    """The token that the pod bears; empty if it bears none."""
    return pod.env.get(TOKEN_LABEL, "")


def bears(pod: Pod, *, name: str | None, token: str) -> bool:
    """Whether this is a pod of the run with that token, whatever its name is now.

    A run of an older version has no token: its name decides, and a pod that bears a token is never its own.
    """
    return token_of(pod) == token if token else not token_of(pod) and pod.name == name


def is_foreign(pod: Pod, token: str) -> bool:
    """Whether the pod bears the token of another run, so that nothing may be done to it."""
    return token_of(pod) not in ("", token)


def origin(pod: Pod) -> PodOrigin | None:
    """The origin that the pod's labels and name tell; None if nothing says that the pod is ours."""
    run_id = pod.env.get(RUN_ID_LABEL)
    if not run_id and not token_of(pod) and not RUN_NAME.fullmatch(pod.name):
        return None
    extra = since_restart(pod)
    boot = instant(pod.env, BOOT_DEADLINE_LABEL) or (pod.created_at and pod.created_at + LONGEST_BOOT)
    deadline = latest(instant(pod.env, DEADLINE_LABEL), cap_lasts_until(pod))
    return PodOrigin(
        run_id=run_id or pod.name,
        token=token_of(pod),
        labelled=bool(run_id or token_of(pod)),
        deadline_at=deadline and deadline + extra,
        boot_deadline_at=boot and boot + extra,
    )


def cap_lasts_until(pod: Pod) -> datetime | None:
    """The instant until which the guard lets the pod be at its real price, disks included; None if it is not known."""
    try:
        cap_usd, closing_s = float(pod.env[CAP_LABEL]), float(pod.env[CLOSING_LABEL])
    except (KeyError, ValueError):
        return None
    if not (0 <= cap_usd < math.inf and 0 <= closing_s < math.inf):
        return None
    if not pod.usd_per_hour or pod.created_at is None:
        return None
    disks = Disks(container_gb=pod.container_disk_gb or 0, volume_gb=pod.volume_gb or 0)
    return shifted(pod.created_at + affordable(cap_usd, pod.usd_per_hour + disks.usd_per_hour), closing_s)


def latest(*instants: datetime | None) -> datetime | None:
    """The last of the known instants."""
    return max((at for at in instants if at is not None), default=None)


def since_restart(pod: Pod) -> timedelta:
    """The time from the pod's creation to its last start.

    A paused pod that another run has resumed still has the labels of its first run: its time counts from the resume.
    """
    if pod.started_at is None or pod.created_at is None:
        return timedelta()
    return max(timedelta(), pod.started_at - pod.created_at)


def instant(env: Mapping[str, str], label: str) -> datetime | None:
    """The instant that a label holds; None if there is no such label or it makes no sense."""
    try:
        return from_epoch(float(env.get(label, "")))
    except ValueError:
        return None
