"""Specs come back from their JSON as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.spec import SecretSpec, Spec
from runpod_deploy.spec.json import spec_from_json, spec_to_json

from .test_rules import JOB

SPEC = Spec(
    run_id="job-1",
    config_path=Path("/a b/ü.yaml"),
    project_root=Path("/a b"),
    job=JOB,
    created_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
)


@given(st.text(), st.dictionaries(st.text(), st.text()), st.none() | st.floats(0, 1e6), st.booleans())
def test_any_values_survive(run_id: str, variables: dict[str, str], wait_s: float | None, fresh: bool) -> None:
    spec = replace(SPEC, run_id=run_id, variables=variables, wait_for_stock_s=wait_s, force_fresh=fresh)
    assert spec_from_json(spec_to_json(spec)) == spec


def test_keys_of_later_versions_are_passed_over() -> None:
    plain = json.loads(spec_to_json(SPEC))
    plain["new"] = {"x": 1}
    plain["job"]["pod"]["new"] = [1]
    assert spec_from_json(json.dumps(plain)) == SPEC


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"run_id": 1', '{"job": {}}', '{"job": [], "run_id": "x"}'])
def test_what_is_no_spec_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        spec_from_json(text)


def test_secrets_are_there_by_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    secret = SecretSpec(name="hf", destination="/root/.env", env=("HF_TOKEN",))
    text = spec_to_json(replace(SPEC, job=replace(JOB, secrets=(secret,))))
    assert "HF_TOKEN" in text
    assert "hf_very_secret" not in text
