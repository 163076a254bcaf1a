"""The client's requests, checked against the schema that the API publishes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runpod_deploy.cloud.runpod.catalogue import cpu_query, gpu_query
from runpod_deploy.cloud.runpod.client import action_call
from runpod_deploy.cloud.runpod.logs import log_call
from runpod_deploy.cloud.runpod.shapes import create_body
from runpod_deploy.cloud.values import Candidate, PodRequest

DOCUMENT = Path(__file__).parents[5] / "shared" / "data" / "runpod-openapi-v2-2026-10.json"

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="RunPod's OpenAPI document is not at hand")

TEXT = st.text(min_size=1, max_size=10)
ASKS = st.builds(
    PodRequest,
    name=TEXT,
    image=TEXT,
    gpu_count=st.integers(1, 8),
    container_disk_gb=st.integers(1, 500),
    ports=st.just(("22/tcp", "8000/http")),
    env=st.dictionaries(TEXT, st.text(max_size=5), max_size=3),
    volume_mount=st.just("/workspace"),
    volume_gb=st.none() | st.integers(1, 500),
    network_volume_id=st.none() | TEXT,
    start_command=st.just(()) | st.tuples(TEXT, TEXT),
    min_cuda_version=st.none() | st.just("12.8"),
    min_vcpu_count=st.none() | st.integers(1, 64),
    min_memory_gb=st.none() | st.integers(1, 512),
    registry_auth=st.none() | TEXT,
    template_id=st.none() | TEXT,
    cpu=st.booleans(),
)
CANDIDATES = st.builds(
    Candidate, gpu_id=TEXT, datacenter_id=st.just("") | TEXT, cloud_type=st.sampled_from(["SECURE", "COMMUNITY"])
)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return dict(json.loads(DOCUMENT.read_text()))


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """What checks values against one of its schemas."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return jsonschema.Draft202012Validator(schema)


@settings(max_examples=60, deadline=None)
@given(ASKS, CANDIDATES)
def test_every_create_is_as_published(request: PodRequest, candidate: Candidate) -> None:
    validator("CreatePodRequest").validate(create_body(request, candidate))


@pytest.mark.parametrize("action", ["start", "stop"])
def test_every_action_is_as_published(action: str) -> None:
    validator("PodActionRequest").validate(action_call("pod", action).body)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v2/catalog/gpus", gpu_query("SECURE", 1)),
        ("/v2/catalog/cpus", cpu_query(2)),
        ("/v2/pods/{id}/logs", log_call("pod", 5).query),
        ("/v2/pods", {"limit": "1000", "cursor": "x"}),
        ("/v2/network-volumes", {"limit": "1000", "cursor": "x"}),
    ],
)
def test_every_query_parameter_is_published(path: str, query: dict[str, str]) -> None:
    listed = document()["paths"][path]["get"]["parameters"]
    known = {(document()["components"]["parameters"][row["$ref"].rsplit("/", 1)[1]] if "$ref" in row else row)["name"]
             for row in listed}  # fmt: skip
    assert set(query) <= known
