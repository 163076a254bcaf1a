"""Rows of the journal, whoever has had a hand in them: read as what they are, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from runpod_deploy.record.events import from_row, to_row
from runpod_deploy.record.fold import fold
from runpod_deploy.record.manifest import manifest
from tests.support.worlds import Memory

AT = datetime(2026, 6, 4, tzinfo=UTC)
CREATED = e.PodCreated(
    ts_utc=AT,
    pod_id="p",
    gpu_id=None,
    datacenter_id="EU-SE-1",
    cloud_type="SECURE",
    usd_per_hour=1,
    price_source="pod_describe",
    created_at=AT,
    stop_at=AT,
    stop_why="cost_cap",
)
ODD = st.sampled_from([None, True, 0, -1, 10**400, float("nan"), float("inf"), "x", "", [], [1], {}, {"a": 1}])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("usd_per_hour", odd) for odd in ("1.0", None, True, float("nan"), 10**400, [1])),
        *(("created_at", odd) for odd in (5, None, "soon")),
        *(("pod_id", odd) for odd in (5, None, ["p"])),
    ],
)
def test_a_row_with_another_kind_of_value_is_none_of_ours(field: str, value: Any) -> None:
    assert from_row(to_row(CREATED)) == CREATED
    assert from_row({**to_row(CREATED), field: value}) is None


def test_what_an_event_can_do_without_does_not_cost_the_event() -> None:
    odd = {"adopted": 1, "disks_usd_per_hour": "much", "volume_gb": "10", "gpu_id": 5, "of_later_versions": {}}

    assert from_row({**to_row(CREATED), **odd}) == CREATED


def test_an_event_survives_the_way_to_disk_and_back() -> None:
    later = replace(CREATED, gpu_id="NVIDIA L4", disks_usd_per_hour=0.004, volume_gb=10)
    assert from_row(json.loads(json.dumps(to_row(later)))) == later


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """A run whose first pod never booted."""
    memory = Memory(tmp_path_factory.mktemp("world"))
    memory.cloud.dead_hosts = {"EU-RO-1"}
    carry_out(memory.open())
    return memory


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_change_to_a_journal_keeps_its_manifest_from_being_made(data: st.DataObject, world: Memory) -> None:
    rows = [json.loads(line) for line in world.dir.events.read_text().splitlines()]
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.sampled_from(sorted(row)))] = data.draw(ODD)
    state = fold(event for row in rows if (event := from_row(row)) is not None)

    document = manifest(world.spec, state, now=world.clock.now(), log=None, files=[])
    json.dumps(document, allow_nan=False)
