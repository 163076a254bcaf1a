"""The same facts without the product: jq over files, lines counted, the cloud's own meters. Shares nothing with it."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

MANIFEST, EVENTS = "runpod_deploy_pull_manifest.json", "events.jsonl"
TOTALS = Path(__file__).with_name("totals.jq")
NEARLY = 0.02
"""Of a sum: what two clocks of one machine and the rounding of rows may differ by."""
CENTS = 0.0005
GUARD_S = 5.0
"""By how much a guard may be early or late."""
DISK_USD_PER_S = 10 * 0.20 / 30 / 86400
"""What the disk of a stopped pod of ours costs."""


def totals(root: Path) -> dict[str, Any]:
    """What jq makes of all manifests below root."""
    rows = "".join(sorted(map(manifest_row, root.rglob(MANIFEST))))
    return dict(json.loads(jq("-s", "-f", str(TOTALS), given=rows)))


def manifest_row(path: Path) -> str:
    """The file in the words of totals.jq."""
    read = subprocess.run(
        ["jq", "-c", 'if type == "object" then {ok: .} else {} end', str(path)], capture_output=True, text=True
    )
    return read.stdout if read.returncode == 0 and read.stdout else "{}\n"


def jq(*words: str, given: str) -> str:
    """What jq prints."""
    return subprocess.run(["jq", *words], input=given, capture_output=True, text=True, check=True).stdout


def events(root: Path) -> Iterator[dict[str, Any]]:
    """Every line below root that jq takes for an object."""
    for path in sorted(root.rglob(EVENTS)):
        text = path.read_bytes().decode(errors="replace").replace("\ufffd", "not JSON ")
        for line in jq("-c", "-R", 'fromjson? | select(type == "object")', given=text).splitlines():
            yield json.loads(line)


def by_name(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """How many events there are of each name."""
    return Counter(str(row.get("event")) for row in rows)


def pod_rows(manifests: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By pod, the times in which runs say that they paid for it, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for manifest in manifests:
        for row in manifest.get("pods", ()):
            found.setdefault(row["pod_id"], []).append(row)
    return {pod_id: sorted(rows, key=lambda row: str(row["since_utc"])) for pod_id, rows in found.items()}


def misjudged(rows: list[dict[str, Any]], pod: dict[str, Any], now: datetime) -> str:
    """How what runs say a pod cost differs from its meter; empty if it does not.

    A run pays until it knows that the pod has ended, which is a moment after it did: the cloud tells when that was.
    """
    said, rate = sum(row["cost_usd"] for row in rows), rows[-1]["usd_per_hour"] / 3600
    if rows[-1]["until_utc"] is None:  # the run counts until its guard's deadline, or until now
        metered = pod["billed_usd"]
        close = abs(said - metered) <= GUARD_S * rate + NEARLY * metered + CENTS
    elif pod["ended"] and len(rows) == 1:
        last_at = datetime.fromisoformat(rows[-1]["until_utc"])
        late_s = (last_at - datetime.fromisoformat(pod["ended"])).total_seconds()
        metered = pod["billed_usd"] + rate * late_s
        close = abs(said - metered) <= NEARLY * metered + CENTS
    else:  # when it was stopped is not told: the meter has run on, for its disk
        since_s = (now - datetime.fromisoformat(rows[0]["since_utc"])).total_seconds()
        metered = pod["billed_usd"]
        close = said * (1 + NEARLY) + CENTS + DISK_USD_PER_S * since_s >= metered
    return "" if close else f"{pod['name']}: {said} by {len(rows)} runs, {metered} by its meter"


def stopped_usd_per_day(pods: Iterable[dict[str, Any]]) -> float:
    """What the disks of all stopped pods cost a day, by what was asked for when they were made."""
    return sum(10 * 0.20 / 30 for pod in pods if pod["status"] == "EXITED")
