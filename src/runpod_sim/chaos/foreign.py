"""Pods of other people in the account, to which nothing may be done. Knows the cloud and runpod-deploy's labels."""

from __future__ import annotations

import copy
import secrets
from dataclasses import dataclass, field
from typing import Any

from ..clock import now
from ..cloud.cloud import Cloud
from ..records.pod_spec import allot, complete
from ..records.pods import EXITED, PROVISIONING, UP, Pod, new_id

HOUR_S = 3600.0
NOT_BY_A_CALLER = (None, "balance", "simulator")
"""Values of `how` of a pod that nobody has ended."""


def labels() -> dict[str, str]:
    """The environment of a pod that another machine's run has made a moment ago."""
    until = str(now() + HOUR_S)
    return {
        "RUNPOD_DEPLOY_RUN_ID": "elsewhere",
        "RUNPOD_DEPLOY_RUN_TOKEN": secrets.token_hex(16),
        "RUNPOD_DEPLOY_DEADLINE": until,
        "RUNPOD_DEPLOY_BOOT_DEADLINE": until,
    }


@dataclass(slots=True)
class ForeignPods:
    """Two pods of people, one that runs and one that is paused; and three of other runs, with this run's name."""

    cloud: Cloud
    pods: list[Pod] = field(default_factory=list)
    _specs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """The account has the pods; name is that of the run, if it is known."""
        rows: list[tuple[str, dict[str, str], bool]] = [("notebook", {}, True), ("old notebook", {}, False)]
        rows += [(name, labels(), True), (name, labels(), False), (name, {}, True)]
        self.pods = [self._pod(*row) for row in rows]

    def rename(self, name: str) -> None:
        """Those with the run's name have this one, because only now it is known."""
        for pod in self.pods[2:]:
            pod.spec["name"] = name
            if "RUNPOD_DEPLOY_RUN_ID" in pod.spec["env"]:
                pod.spec["env"]["RUNPOD_DEPLOY_RUN_ID"] = name
            self._specs[pod.id] = copy.deepcopy(pod.spec)

    def touched(self) -> list[str]:
        """What was done to which of them."""
        return [f"{pod.spec['name']} ({pod.id}): {change}" for pod in self.pods if (change := self._change(pod))]

    def _change(self, pod: Pod) -> str | None:
        if pod.how not in NOT_BY_A_CALLER:
            return pod.how
        if pod.how is None and (pod.status in UP) != ("never-running" in pod.faults):
            return f"it is {pod.status}"
        return None if pod.spec == self._specs[pod.id] else "changed"

    def _pod(self, name: str, env: dict[str, str], runs: bool) -> Pod:
        kind = next(iter(self.cloud.catalogue.gpus))
        place = next(iter(self.cloud.catalogue.places(kind, "SECURE")))
        asked = {"name": name, "image": "ubuntu:24.04", "disk": 10, "gpu": {"id": kind, "count": 1}, "env": env}
        spec = complete(asked, None, [])
        allot(spec, self.cloud.catalogue)
        pod = Pod(
            id=new_id(), spec=spec, place=place, units=1, usd_per_hour=0.5, created_at=now(),
            key=secrets.token_hex(20), token=secrets.token_hex(4),
        )  # fmt: skip
        # It gets no container: a case has enough processes.
        pod.faults = {"never-running": {"status": "RUNNING"}} if runs else {}
        pod.become(PROVISIONING if runs else EXITED, now())
        self.cloud.restore(pod)
        self._specs[pod.id] = copy.deepcopy(pod.spec)
        return pod
