"""Requests made up from the published document: whatever is sent, the answers are such as it describes."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from .conftest import Json, Sim
from .document import DATA_PATH, OBSERVED, PUBLISHED, Document, read

FEW = settings(max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
CHECKS: list[Any] = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# The log never ends, so it cannot be waited for; its own tests read it.
STREAM = "/v2/pods/{id}/logs"


@pytest.fixture
def known(sim: Sim) -> Json:
    """Ids of things that exist, by the beginning of their path."""
    return {
        "/v2/pods": sim.create(ports=[])["id"],
        "/v2/network-volumes": made(sim, "/v2/network-volumes", name="v", size=10, dataCenter="EU-RO-1"),
        "/v2/templates": made(sim, "/v2/templates", name=f"t{sim.pid}", image="debian:12"),
        "/v2/registries": made(sim, "/v2/registries", name="r", username="me", password="swordfish"),
        "/v2/account/secrets": made(sim, "/v2/account/secrets", name="s", value="swordfish"),
        "/v2/catalog/gpus": "NVIDIA A40",
        "/v2/catalog/cpus": "cpu3c",
        "/v2/catalog/datacenters": "EU-RO-1",
    }


def made(sim: Sim, path: str, **body: Any) -> str:
    """The id of what is there now, made or found."""
    answer = sim.call("POST", path, body)
    if answer.status == 201:
        return str(answer.body["id"])
    [rows] = [rows for rows in sim.call("GET", path).body.values() if isinstance(rows, list)]
    return str(rows[0]["id"])


@pytest.mark.parametrize("name", [PUBLISHED, OBSERVED])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_answer_is_out_of_the_document(sim: Sim, known: Json, name: str, mode: GenerationMode) -> None:
    operations = Document(read(name)).operations()
    document = schemathesis.openapi.from_path(DATA_PATH / name)
    for method, path in operations:
        if path != STREAM:
            exercise(sim, known, document[path][method], mode)


def breaks_the_body(case: Any) -> bool:
    """Whether a body was made up that the document does not allow."""
    return any(place.name == "BODY" and part.mode.is_negative for place, part in case.meta.components.items())


def exercise(sim: Sim, known: Json, operation: Any, mode: GenerationMode) -> None:
    """Raises schemathesis's failure if an answer does not fit."""
    headers = {"Authorization": f"Bearer {sim.key}", "User-Agent": "tests/1"}

    @FEW
    @given(case=operation.as_strategy(generation_mode=mode), is_led=st.booleans())
    def call_api(case: Any, is_led: bool) -> None:
        if is_led and mode is GenerationMode.POSITIVE:
            lead(case, known)
        answer = case.call_and_validate(base_url=sim.url, headers=headers, checks=CHECKS)
        assert answer.status_code >= 400 or not breaks_the_body(case), case.body

    call_api()


def lead(case: Any, known: Json) -> None:
    """The request is about things that exist, and so gets further."""
    collection = case.path.partition("/{id}")[0]
    if case.path_parameters and collection in known and case.method != "DELETE":
        case.path_parameters["id"] = known[collection]
    if (case.method, case.path) == ("POST", "/v2/pods"):
        for name in ("cpu", "mounts", "dataCenterIds", "templateId", "registry", "ports", "args", "env"):
            case.body.pop(name, None)
        case.body |= {"gpu": {"id": "NVIDIA A40"}, "disk": 10, "cloud": "SECURE", "image": "debian:12"}
