"""/v2/billing. Knows HTTP, and which meters go into which bill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from ..clock import now
from ..cloud.billing import SIZES, BillKind, Window, bill, earlier, floor, following, rfc3339, totals
from ..cloud.cloud import Cloud
from ..records.meter import Meter
from ..records.problems import bad, invalid
from .answers import CLOUD, Handler, answer, number

DEFAULT_DAYS = 30
ALL = BillKind(
    amounts={
        "podGpuAmount": "gpu",
        "podCpuAmount": "cpu",
        "podDiskAmount": "disk",
        "serverlessGpuAmount": "",
        "serverlessCpuAmount": "",
        "serverlessDiskAmount": "",
        "serverlessFeeAmount": "",
        "storageStandardAmount": "standard",
        "storageHighPerformanceAmount": "highPerformance",
        "endpointAmount": "",
        "clusterGpuAmount": "",
        "clusterDiskAmount": "",
        "clusterNetworkingAmount": "",
    }
)
PODS = BillKind(
    id_field="podId",
    count_field="uniquePodCount",
    amounts={"gpuAmount": "gpu", "cpuAmount": "cpu", "diskAmount": "disk"},
)
VOLUMES = BillKind(
    id_field="networkVolumeId",
    count_field="uniqueNetworkVolumeCount",
    amounts={"standardAmount": "standard", "highPerformanceAmount": "highPerformance"},
)
SERVERLESS = BillKind(
    id_field="serverlessId",
    count_field="uniqueServerlessCount",
    amounts={"gpuAmount": "", "cpuAmount": "", "diskAmount": "", "feeAmount": ""},
)
CLUSTERS = BillKind(
    id_field="clusterId",
    count_field="uniqueClusterCount",
    amounts={"gpuAmount": "", "diskAmount": "", "networkingAmount": ""},
)
ENDPOINTS = BillKind(amounts={})


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/v2/billing", _billing(ALL), allow_head=False),
        web.get("/v2/billing/pods", _billing(PODS), allow_head=False),
        web.get("/v2/billing/network-volumes", _billing(VOLUMES), allow_head=False),
        web.get("/v2/billing/serverless", _billing(SERVERLESS), allow_head=False),
        web.get("/v2/billing/endpoints", _billing(ENDPOINTS), allow_head=False),
        web.get("/v2/billing/clusters", _billing(CLUSTERS), allow_head=False),
    ]


def _billing(bill_kind: BillKind) -> Handler:
    async def show(request: web.Request) -> web.Response:
        """The bill, without the costs that are too recent to be on it."""
        cloud, window = request.app[CLOUD], _window(request)
        wanted = request.query.get(bill_kind.id_field or "")
        records = bill(_meters(cloud, bill_kind, wanted), bill_kind, window, now() - cloud.billing_lag_s)
        metadata: dict[str, Any] = {"query": _query(bill_kind, window, wanted), "recordCount": len(records)}
        if bill_kind.id_field and bill_kind.count_field:
            metadata[bill_kind.count_field] = len({row[bill_kind.id_field] for row in records})
        return answer({"records": records, "metadata": metadata | {"totals": totals(records, bill_kind)}})

    return show


def _meters(cloud: Cloud, bill_kind: BillKind, wanted: str | None) -> Mapping[str, Meter]:
    pods = {pod.id: pod.meter for pod in cloud.pods.values()} if bill_kind in (ALL, PODS) else {}
    volumes = cloud.meters if bill_kind in (ALL, VOLUMES) else {}
    return {name: meter for name, meter in (pods | volumes).items() if wanted in (None, name)}


def _query(bill_kind: BillKind, window: Window, wanted: str | None) -> dict[str, Any]:
    query = {"startTime": rfc3339(window.start), "endTime": rfc3339(window.end), "bucketSize": window.size}
    return query | ({bill_kind.id_field: wanted} if bill_kind.id_field else {})


def _window(request: web.Request) -> Window:
    size = request.query.get("bucketSize", "day")
    if size not in SIZES:
        raise invalid("$.bucketSize: value must be one of " + ", ".join(f"'{value}'" for value in SIZES))
    end = _instant(request, "endTime", datetime.fromtimestamp(now(), UTC))
    try:
        start = _instant(request, "startTime", end - timedelta(days=DEFAULT_DAYS))
        if "lastN" in request.query:
            if "startTime" in request.query or "endTime" in request.query:
                raise bad("lastN and startTime/endTime are mutually exclusive")
            start = earlier(floor(end, size), size, number(request, "lastN", 1, 1) - 1)
        if start > end:
            raise bad("startTime must be before endTime")
        last = floor(end, size)
        return Window(floor(start, size), last if last == end else following(last, size), size)
    except (ValueError, OverflowError) as error:
        raise bad("the time range is too long") from error


def _instant(request: web.Request, name: str, default: datetime) -> datetime:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid(f"$.{name}: '{text}' is not valid date-time") from error
