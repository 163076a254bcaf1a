"""A cloud on disk: saved to a folder, and loaded from it. Knows JSON and records; knows no HTTP.

Pods that were up boot again on the disks that they had, as after a host's reboot. While no simulator runs, nothing
is billed.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..clock import now
from ..cloud.cloud import Cloud
from ..files import read_json, write_private
from ..records.catalogue import Place, StockRule
from ..records.meter import Meter, Period
from ..records.pods import LOG_LINES, PROVISIONING, UP, LogLine, Pod

STATE_FILE = "state.json"
SAVE_EVERY_S = 1.0
MOST = 256 << 20
# Fields of the cloud that are plain JSON already.
RECORDS = ("volumes", "ssh_keys", "templates", "registries", "secrets", "global_volumes")

SCALARS: dict[str, tuple[type, ...]] = {"api_key": (str,), "balance_usd": (int, float), "saved_at": (int, float)}


class StateUnreadable(OSError):
    """The saved cloud cannot be loaded; the message says why, and what to do."""


async def save_regularly(cloud: Cloud, root: Path) -> None:
    """Saves the cloud every second until it is cancelled."""
    while True:
        save(cloud, root)
        await asyncio.sleep(SAVE_EVERY_S)


def save(cloud: Cloud, root: Path) -> None:
    """The folder holds the cloud as it is now."""
    kept: dict[str, Any] = {name: getattr(cloud, name) for name in RECORDS}
    kept |= {"api_key": cloud.api_key, "balance_usd": cloud.balance_usd, "saved_at": now()}
    kept["rules"] = [asdict(rule) for rule in cloud.catalogue.rules]
    kept["pods"] = [_pod_json(pod) for pod in cloud.pods.values()]
    kept["meters"] = {name: asdict(meter) for name, meter in cloud.meters.items()}
    new = root / f"{STATE_FILE}.new"
    new.unlink(missing_ok=True)
    write_private(new, json.dumps(kept))
    new.replace(root / STATE_FILE)


def load(cloud: Cloud, root: Path) -> None:
    """The cloud is as it was saved, if it was; pods that were up boot again. Raises StateUnreadable."""
    path = root / STATE_FILE
    if not path.exists():
        return
    try:
        _restore(cloud, read_json(path, MOST))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StateUnreadable(
            f"{path} is damaged or was written by another version ({error!r:.200}); use another folder, or delete it"
        ) from error


def _restore(cloud: Cloud, kept: dict[str, Any]) -> None:
    for name, kinds in SCALARS.items():
        if not isinstance(kept[name], kinds):
            raise TypeError(f"{name} has the wrong type")
    pods = [_pod(row, kept["saved_at"]) for row in kept["pods"]]
    for name in RECORDS:
        records = getattr(cloud, name)
        if type(kept[name]) is not type(records):
            raise TypeError(f"{name} is not of the type {type(records).__name__}")
        records.extend(kept[name]) if isinstance(records, list) else records.update(kept[name])
    cloud.api_key, cloud.balance_usd = kept["api_key"], kept["balance_usd"]
    cloud.catalogue.rules.extend(StockRule(**rule) for rule in kept["rules"])
    cloud.meters.update({name: _meter(row, kept["saved_at"]) for name, row in kept["meters"].items()})
    for pod in pods:
        cloud.restore(pod)


def _pod_json(pod: Pod) -> dict[str, Any]:
    row = {name: getattr(pod, name) for name in Pod.__slots__ if name not in ("logs", "meter", "place")}
    meter, place = asdict(pod.meter), asdict(pod.place)
    return row | {"meter": meter, "place": place, "logs": [asdict(line) for line in pod.logs]}


def _pod(row: dict[str, Any], saved_at: float) -> Pod:
    logs = deque((LogLine(**line) for line in row["logs"]), maxlen=LOG_LINES)
    whole = {"place": Place(**row["place"]), "meter": _meter(row["meter"], saved_at), "logs": logs}
    pod = Pod(**(row | whole))
    if pod.status in UP:
        pod.status = PROVISIONING
    pod.port = pod.up_at = None
    return pod


def _meter(row: dict[str, Any], saved_at: float) -> Meter:
    """The meter, which ran until the cloud was saved and runs again from now on."""
    closed = [Period(**period) for period in row["closed"]]
    if row["rates"]:
        closed.append(Period(row["since"], saved_at, row["rates"]))
    return Meter(closed, now(), row["rates"])
