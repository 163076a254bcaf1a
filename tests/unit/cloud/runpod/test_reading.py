"""The client returns a value or raises an error of ours, whatever JSON it receives."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.cloud.runpod.catalogue import cpu_offers, gpu_offers
from runpod_deploy.cloud.runpod.reading import next_cursor, page_rows, parsing, read_pods
from runpod_deploy.errors import DeployError
from tests.support.fakes.api import Api, Reply, pod_row

GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
POD = st.fixed_dictionaries({}, optional=dict.fromkeys(pod_row(), GARBAGE)).map(lambda some: pod_row(**some))
KIND = st.fixed_dictionaries(
    {"id": GARBAGE},
    optional=dict.fromkeys(("price", "maxCount", "secure", "availability", "dataCenters"), GARBAGE),
)


@settings(max_examples=40)
@given(st.lists(POD, max_size=3))
def test_a_listing_is_read_or_refused(rows: list[dict[str, Any]]) -> None:
    with contextlib.suppress(DeployError):
        assert len(read_pods(rows)) == len([row for row in rows if row["id"] and isinstance(row["id"], str)])


@settings(max_examples=40)
@given(st.lists(KIND, max_size=3))
def test_a_catalogue_is_read_or_refused(rows: list[dict[str, Any]]) -> None:
    with contextlib.suppress(DeployError), parsing("try"):
        gpu_offers(rows, "SECURE", 1)
        cpu_offers(rows, 2)


@given(st.dictionaries(st.sampled_from(["pods", "pagination"]), GARBAGE))
def test_a_page_is_read_or_refused(page: dict[str, Any]) -> None:
    with contextlib.suppress(DeployError):
        assert isinstance(page_rows(page, "pods", "try"), list)
    assert next_cursor(page) is None or next_cursor(page)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(POD)
def test_a_pod_is_read_or_refused_over_http(api: Api, cloud: RunPodCloud, row: dict[str, Any]) -> None:
    api.replies(Reply(200, row))
    with contextlib.suppress(DeployError):
        pod = cloud.get("5xpma5eg46tqjq")
        assert pod is None or pod.id
