"""Answers in the form of `runpodctl … -o json`, read from the API: scripts of the earlier tool ask for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import PurePath
from shlex import join
from typing import Any

from ...cloud.runpod import RunPodCloud
from ...cloud.stock import LEVELS
from ...cloud.values import Pod
from ...live import connect_cloud
from ...machine import proc

PROGRAM_WITHIN_S = 120.0
TO_RUN = ("PROVISIONING", "STARTING", "RUNNING")
"""Statuses of a pod that is meant to run."""
Row = dict[str, Any]


def run_json(argv: Sequence[str]) -> Any:
    """The JSON that the command prints. The API answers the questions to runpodctl, which need not be installed.

    Raises RuntimeError if the command fails or prints no JSON, or if the API does not answer.
    """
    program, *words = argv
    query = QUERIES.get(" ".join(words[:2])) if PurePath(program).name == "runpodctl" else None
    return query(connect_cloud(), words[2:]) if query else printed_json(argv)


def printed_json(argv: Sequence[str]) -> Any:
    """The JSON that a program prints. Raises RuntimeError."""
    try:
        done = proc.run(argv, timeout_s=PROGRAM_WITHIN_S)
        if done.exit_code:
            said = done.stderr.decode(errors="replace").strip()
            raise RuntimeError(f"{join(argv)} exited with {done.exit_code}: {said}")
        return json.loads(done.stdout)
    except (OSError, ValueError) as error:
        raise RuntimeError(f"{join(argv)} gave no JSON: {error}") from error


def datacenters(cloud: RunPodCloud, _words: list[str]) -> list[Row]:
    """Every datacenter with the stock of its GPUs on the secure cloud."""
    offers = cloud.catalogue("SECURE", gpu_count=1)
    return [
        {
            "id": name,
            "gpuAvailability": [
                {"gpuId": offer.gpu_id, "displayName": offer.gpu_id, "stockStatus": stock_status(offer.stock)}
                for offer in offers
                if offer.datacenter_id == name
            ],
        }
        for name in cloud.datacenter_ids()
    ]


def stock_status(stock: str) -> str:
    """High, Medium or Low; empty if there is none."""
    return stock.capitalize() if stock in LEVELS else ""


def one_pod(cloud: RunPodCloud, words: list[str]) -> Row:
    """The pod whose id is the first word. Raises RuntimeError if there is none."""
    pod_id = next((word for word in words if not word.startswith("-")), "")
    if (pod := cloud.get(pod_id)) is None:
        raise RuntimeError(f"there is no pod {pod_id!r}")
    return pod_row(pod)


def all_pods(cloud: RunPodCloud, words: list[str]) -> list[Row]:
    """Every pod, or those of the status after `--status`."""
    rows = [pod_row(pod) for pod in cloud.list_pods()]
    status = words[words.index("--status") + 1] if "--status" in words[:-1] else None
    return [row for row in rows if status in (None, row["desiredStatus"])]


def pod_row(pod: Pod) -> Row:
    """The pod under the names that runpodctl prints."""
    ssh = {"ip": pod.address.host, "port": pod.address.port} if pod.address else {}
    return {
        "id": pod.id,
        "name": pod.name,
        "desiredStatus": "RUNNING" if pod.status in TO_RUN else pod.status,
        "imageName": pod.image,
        "costPerHr": pod.usd_per_hour,
        "gpuCount": pod.gpu_count,
        "machine": {"gpuTypeId": pod.gpu_id, "dataCenterId": pod.datacenter_id},
        "volumeInGb": pod.volume_gb or 0,
        "containerDiskInGb": pod.container_disk_gb,
        "uptimeSeconds": pod.uptime_s,
        "ssh": ssh,
        "publicIp": ssh.get("ip"),
    }


def network_volumes(cloud: RunPodCloud, _words: list[str]) -> list[Row]:
    """Every network volume."""
    return [{**row, "dataCenterId": row.get("dataCenter")} for row in cloud.volumes()]


QUERIES: dict[str, Callable[[RunPodCloud, list[str]], Any]] = {
    "datacenter list": datacenters,
    "pod get": one_pod,
    "pod list": all_pods,
    "network-volume list": network_volumes,
}
