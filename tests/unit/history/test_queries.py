"""Searching events: what the byte filter lets through, and that it never hides a row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runpod_deploy.errors import UsageError
from runpod_deploy.history.blocks import BLOCK_BYTES
from runpod_deploy.history.conditions import parse_condition
from runpod_deploy.history.prefilter import Prefilter
from runpod_deploy.history.queries import Query, search

KEYS = st.sampled_from(["event", "gpu_id", "a/b", 'q"k', "é", ""])
TEXTS = st.one_of(
    st.sampled_from(["pod_killed", "a/b", 'say "hi"', "tab\there", "é", "5", "0.1", "True", "None", "nan", "[1]", ""]),
    st.text(max_size=8),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0.1, 1e22, 5, -0.0, 100.0]))
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(TEXTS, SCALARS, max_size=2))
ROWS = st.dictionaries(KEYS, VALUES, max_size=3)


def encoded(row: dict[str, Any], style: int) -> bytes:
    """The row as JSON, in one of the ways in which writers differ."""
    text = json.dumps(row, ensure_ascii=style % 2 == 0, separators=(",", ":") if style % 3 == 0 else None)
    if style == 4:
        text = text.replace("/", "\\/")
    if style == 5:
        text = text.replace("k", "\\u006b").replace("5", "5")
    return text.encode("utf-8", "surrogatepass")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(ROWS, st.integers(0, 5)), max_size=8), index=st.integers(0, 7), key=KEYS)
@example(rows=[({"event": "kk"}, 5), ({"event": "x"}, 0), ({"event": "kk"}, 0)], index=0, key="event")
@example(rows=[({}, 0), ({"event": 100.0}, 0), ({"a": 1}, 0)], index=1, key="event")
def test_the_byte_filter_hides_no_row(rows: list[tuple[dict[str, Any], int]], index: int, key: str) -> None:
    wanted = str(rows[index][0].get(key)) if index < len(rows) else "pod_killed"
    condition = parse_condition(f"{key or 'event'}={wanted}")
    lines = [encoded(row, style) for row, style in rows if b"\n" not in encoded(row, style)]
    # Enough other lines that looking for bytes pays.
    block = b"{}\n" * 40 + b"".join(line + b"\n" for line in lines) + b"{}\n"

    let_through = [json.loads(line) for line in Prefilter([condition]).lines(block, len(block)) if line.strip()]
    found = [row for row in let_through if condition.holds(row)]

    expected = [row for row in map(json.loads, lines) if condition.holds(row)]
    assert json.dumps(found) == json.dumps(expected)


def test_a_selective_filter_parses_few_lines() -> None:
    block = b"".join(b'{"event": "heartbeat", "n": %d}\n' % i for i in range(1000))
    block += b'{"event": "pod_killed", "note": "caf\\u00e9"}\n{"event": "end"}\n'

    assert len(list(Prefilter([parse_condition("event=pod_killed")]).lines(block, len(block)))) == 1


@pytest.mark.parametrize(
    ("condition", "field", "holds"),
    [
        ("f1=0.9", 0.9, True),
        ("f1=0.90", 0.9, False),
        ("f1=True", True, True),
        ("f1=true", True, False),
        ("f1=None", None, True),
        ("f1=", "", True),
        ("f1=a=b", "a=b", True),
        ("f1!=a", "b", True),
        ("f1!=a", "a", False),
        ("f1>5", 10, True),
        ("f1>5", "10", True),
        ("f1>5", "ten", False),
        ("f1>5", True, False),
        ("f1<5", None, False),
        ("f1>=5", 5, True),
        ("f1<=4.9", 5, False),
        ("f1>2026-06-04", "2026-06-04T00:00:01Z", True),
        ("f1>2026-06-04T02:00:00+02:00", "2026-06-04T00:00:00Z", False),
        ("f1<b", "a", True),
        ("f1~^a.c$", "abc", True),
        ("f1~b", "abc", True),
        ("f1~^b", "abc", False),
        ("f1~9", 0.9, True),
    ],
)
def test_operators(condition: str, field: Any, holds: bool) -> None:
    assert parse_condition(condition).holds({"f1": field}) is holds


@pytest.mark.parametrize("operator", ["=", ">", "<", ">=", "<=", "~"])
def test_a_row_without_the_field_only_differs(operator: str) -> None:
    assert not parse_condition(f"absent{operator}None").holds({"event": "x"})
    assert parse_condition("absent!=None").holds({"event": "x"})


@pytest.mark.parametrize("text", ["event", "=x", "", "event~("])
def test_what_is_no_condition_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_condition(text)


def test_rows_come_from_all_run_dirs_in_path_order_even_across_blocks(tmp_path: Path) -> None:
    filler = "-" * (BLOCK_BYTES // 20)
    for name in ("b", "a/deep", "a"):
        lines = [json.dumps({"event": "x" if i % 7 == 0 else filler, "run": name, "i": i}) for i in range(50)]
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "events.jsonl").write_text("\n".join(lines))
    told: list[tuple[str, str]] = []

    query = Query([parse_condition("event=x")])
    found = [(Path(run), row["run"], row["i"]) for run, row in search(str(tmp_path), query, lambda *a: told.append(a))]

    order = ["a/deep", "a", "b"]
    assert found == [(tmp_path / name, name, i) for name in order for i in range(0, 50, 7)]
    assert told == []


def test_times_bound_the_search_and_drop_rows_without_one(tmp_path: Path) -> None:
    stamps = ["2026-06-04T10:00:00+02:00", "2026-06-04T08:00:01Z", "2026-06-04T09:00:00", "soon", None]
    lines = [json.dumps({"ts_utc": stamp, "event": "x"}) for stamp in stamps]
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    since, until = datetime(2026, 6, 4, 8, 0, 1, tzinfo=UTC), datetime(2026, 6, 4, 9, tzinfo=UTC)

    found = search(str(tmp_path), Query((), since, until), lambda *a: None)

    assert [row["ts_utc"] for _, row in found] == stamps[1:3]


def test_what_cannot_be_read_is_told_of_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "events.jsonl").symlink_to(tmp_path / "gone")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "events.jsonl").write_bytes(b'nonsense\n{"event": "x"}\n{"event": "x", "torn')
    told: list[tuple[str, str]] = []

    found = list(search(str(tmp_path), Query([parse_condition("event=x")]), lambda *a: told.append(a)))

    assert [row["event"] for _, row in found] == ["x"]
    assert [Path(path).parent.name for path, _ in told] == ["a", "b"]
