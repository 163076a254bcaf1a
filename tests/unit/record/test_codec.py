"""Rows of the journal, whoever has had a hand in them: read as what they are, or not at all."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.cloud.values import Candidate
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
ODD_VALUES = [None, True, 0, -1, 10**400, float("nan"), float("inf"), "x", "", [], [1], {}, {"a": 1}]
ODD = st.sampled_from(ODD_VALUES)


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


@pytest.mark.parametrize("odd", ["h\nProxyCommand x", "-h", "", "h h", "%h"])
def test_an_address_in_a_run_folder_is_checked_like_one_of_the_api(odd: str) -> None:
    row = to_row(e.PodReachable(ts_utc=AT, host="h", port=22))
    assert from_row(row) is not None
    assert from_row({**row, "host": odd}) is None and from_row({**row, "port": 70_000}) is None
    assert from_row({**to_row(CREATED), "pod_id": f"p/../{odd}"}) is None


def test_what_an_event_can_do_without_does_not_cost_the_event() -> None:
    odd = {"adopted": 1, "disks_usd_per_hour": "much", "volume_gb": "10", "gpu_id": 5, "of_later_versions": {}}

    assert from_row({**to_row(CREATED), **odd}) == CREATED


def sample(hint: Any) -> Any:
    """Some value of a type of a field, which keeps the field's rules."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return {str: "u", int: 7}[args[0]]
    if origin in (Union, UnionType):
        return sample(args[0])
    if origin is tuple:
        return (sample(args[0]),) * 2
    if origin is dict:
        return {"answer": 42, "nested": [None, {"x": 1.5}]} if args[1] is Any else {"answer": sample(args[1])}
    if is_dataclass(hint):
        return filled(hint)
    return {str: "ü", int: 7, float: 0.25, bool: True, datetime: AT}[hint]


def filled(kind: Any) -> Any:
    """An object of that class, each of its fields with some value."""
    return kind(**{name: sample(hint) for name, hint in get_type_hints(kind, include_extras=True).items()})


def empty(kind: Any) -> Any:
    """An object of that class with no more than it needs, None where it may be."""
    needed = [field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    hints = get_type_hints(kind, include_extras=True)
    return kind(**{name: None if NoneType in get_args(hints[name]) else sample(hints[name]) for name in needed})


@pytest.mark.parametrize("kind", e.EVENT_KINDS.values(), ids=e.EVENT_KINDS)
def test_every_event_survives_the_way_to_disk_and_back(kind: type[e.Event]) -> None:
    skipped: list[str] = []
    for event in (filled(kind), empty(kind)):
        assert from_row(json.loads(json.dumps(to_row(event))), skipped.append) == event
    assert skipped == []


@pytest.mark.parametrize("kind", e.EVENT_KINDS.values(), ids=e.EVENT_KINDS)
def test_no_row_of_any_kind_is_an_exception(kind: type[e.Event]) -> None:
    whole = to_row(filled(kind))
    for key in set(whole) - {"event", "source"}:
        for row in ({k: v for k, v in whole.items() if k != key}, *({**whole, key: odd} for odd in ODD_VALUES)):
            from_row(row)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"event": "pod_painted"}, "unknown event 'pod_painted'"),
        ({"event": ["pod_created"]}, "unknown event ['pod_created']"),
        ({"colour": "red"}, "pod_created: unknown field 'colour'"),
        ({"usd_per_hour": "much"}, "pod_created: usd_per_hour: expected a number, got 'much'"),
        ({"gpu_id": 5}, "pod_created: gpu_id: expected a text, got 5"),
        ({"ts_utc": "soon"}, "pod_created: ts_utc: expected a time, got 'soon'"),
    ],
)
def test_what_is_skipped_is_said(change: dict[str, Any], word: str) -> None:
    skipped: list[str] = []
    from_row({**to_row(CREATED), **change}, skipped.append)
    assert skipped[0] == word


def test_a_row_without_a_field_that_it_needs_is_skipped_with_a_word() -> None:
    skipped: list[str] = []
    assert from_row({"ts_utc": AT.isoformat(), "event": "gpu_selected"}, skipped.append) is None
    assert skipped == ["gpu_selected: no usable gpu_id, datacenter_id"]


def test_candidates_are_values_again() -> None:
    row = {"event": "candidates_chosen", "candidates": [{"gpu_id": "g", "datacenter_id": "d", "cloud_type": "SECURE"}]}
    event = from_row(row)
    assert isinstance(event, e.CandidatesChosen)
    assert event.candidates == (Candidate(gpu_id="g", datacenter_id="d", cloud_type="SECURE"),)
    assert from_row({"event": "candidates_chosen", "candidates": [{"gpu_id": "g"}, 5]}) is None


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
