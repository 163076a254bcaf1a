"""One odd field or row is not the account: what cannot be read is unknown, and the rest is used."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.cloud.runpod.catalogue import gpu_offers
from runpod_deploy.cloud.runpod.fields import instant_in, number_in, whole_in
from runpod_deploy.cloud.runpod.shapes import as_pod
from runpod_deploy.cloud.values import Address
from runpod_deploy.errors import CloudUnreachable, DeployError, OddRow
from tests.support.fakes.api import Api, Reply, pod_row

HERE = Address(host="213.173.104.74", port=35558)
NONE = {"pods": [], "pagination": {"hasNextPage": False, "nextCursor": None}}
ODD: tuple[Any, ...] = (None, "text", "", 0, -1, 3.5, True, [], ["x"], {}, {"value": 1}, 1e300)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in the row but its id."""
    if path and path != ("id",):
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places(child, (*path, key))


def bent(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A running pod's row with another value at the path."""
    row = copy.deepcopy(pod_row(mounts={"persistent": {"size": 20, "path": "/workspace"}}))
    inner: Any = row
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return row


@pytest.mark.parametrize("path", list(places(bent(("name",), "probe"))), ids=str)
def test_no_field_of_a_pod_is_needed_but_its_id(path: tuple[Any, ...]) -> None:
    for value in ODD:
        pod = as_pod(bent(path, value))
        assert pod.id == "5xpma5eg46tqjq" and pod.status


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("disk",), "much"),
        (("mounts", "persistent", "size"), "20 GB"),
        (("createdAt",), 1787206579436),
        (("startedAt",), 1787206579),
        (("runtime",), {"ports": []}),
        (("runtime", "uptime"), "3 s"),
        (("ssh",), "ssh root@213.173.104.74 -p 35558"),
        (("ssh", "direct", "port"), "35558"),
        (("cost",), "NaN"),
    ],
    ids=str,
)
def test_the_address_is_read_whatever_else_is_odd(path: tuple[Any, ...], value: Any) -> None:
    assert as_pod(bent(path, value)).address == HERE


def test_numbers_may_be_written_as_text() -> None:
    pod = as_pod(bent(("disk",), "30") | {"cost": "0.72"})
    assert (pod.container_disk_gb, pod.usd_per_hour) == (30, 0.72)
    odd_numbers: tuple[object, ...] = ("NaN", "inf", True, None, "", [], 10**400)
    assert [number_in(odd) for odd in odd_numbers] == [None] * 7
    assert [whole_in(odd) for odd in (-1, "-1", "3.0", 0)] == [None, None, 3, 0]


def test_instants_may_be_written_as_seconds_or_milliseconds() -> None:
    at = datetime(2026, 8, 20, 6, 16, 19, tzinfo=UTC)
    assert [instant_in(value) for value in (at.isoformat(), at.timestamp(), at.timestamp() * 1000)] == [at] * 3
    assert [instant_in(odd) for odd in (None, "soon", True, 1e300, -1e300)] == [None] * 5


def test_a_pod_without_gpus_has_zero_of_them() -> None:
    assert as_pod(bent(("gpu", "count"), 0)).gpu_count == 0
    assert as_pod(bent(("gpu",), None)).gpu_count is None
    assert as_pod(bent(("gpu",), None) | {"cpu": {"id": "cpu3c", "vcpuCount": 4}}).gpu_count == 1


@pytest.mark.parametrize("odd", [None, "pod", 7, [], {}, {"id": None, "name": "foreign"}, {"id": 7}], ids=str)
def test_an_odd_row_among_the_pods_is_skipped_and_named_once(
    api: Api, cloud: RunPodCloud, retries: list[tuple[str, DeployError, float]], odd: Any
) -> None:
    api.replies(Reply(200, NONE | {"pods": [odd, pod_row()]}))
    for _ in range(2):
        assert [pod.id for pod in cloud.list_pods()] == ["5xpma5eg46tqjq"]
    assert [(what, type(error)) for what, error, _ in retries] == [("list the pods", OddRow)]


def test_a_listing_of_nothing_but_odd_rows_is_no_empty_account(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, NONE | {"pods": [None]}))
    with pytest.raises(CloudUnreachable, match="no list"):
        cloud.list_pods()


@pytest.mark.parametrize("odd", [None, {"id": 7}, {"id": {}}, {"name": "x"}], ids=str)
def test_an_odd_row_hides_no_other_offer(odd: Any) -> None:
    row = {"id": "NVIDIA L4", "price": {"secure": "0.40"}, "maxCount": "many", "dataCenters": [None, {"id": "EU-1"}]}
    offers = gpu_offers([odd, row], "SECURE", 1)
    assert [(o.datacenter_id, o.usd_per_gpu_hour, o.stock) for o in offers] == [
        ("EU-1", 0.4, "NONE"),
        ("", 0.4, "NONE"),
    ]


def test_an_odd_volume_of_another_name_does_not_matter(api: Api, cloud: RunPodCloud) -> None:
    rows = [None, {"id": None, "name": None}, {"id": "v1", "name": "data", "dataCenter": "EU-1"}]
    api.replies(Reply(200, {"networkVolumes": rows, "pagination": {"hasNextPage": False}}))
    assert cloud.volume("data") == ("v1", "EU-1")


def test_an_odd_bill_of_another_pod_does_not_matter(api: Api, cloud: RunPodCloud) -> None:
    hour = {"startTime": "2026-08-20T06:00:00Z", "endTime": "2026-08-20T07:00:00Z"}
    rows = [None, {"podId": "foreign", "totalAmount": "?"}, {"podId": "ours", "totalAmount": "0.5", **hour}]
    api.replies(Reply(200, {"records": rows}))
    start, end = datetime(2026, 8, 20, tzinfo=UTC), datetime(2026, 8, 21, tzinfo=UTC)
    assert [(bill.pod_id, bill.usd) for bill in cloud.bills(start, end, {"ours"})] == [("ours", 0.5)]
    with pytest.raises(CloudUnreachable):
        cloud.bills(start, end, {"foreign"})
