"""The page: well formed, self-contained, complete, and deaf to what records try to make it say."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.history.details import MOST_EVENTS, MOST_SAMPLES, Details, read_details, thinned
from runpod_deploy.history.report.charts import charts
from runpod_deploy.history.report.page import page
from runpod_deploy.history.totals import Totals
from tests.transcripts import run_dirs

TOOL = Path(sys.executable).with_name("runpod-deploy")
VOID = ("meta", "br")
MADE_AT = datetime(2026, 6, 8, 12, tzinfo=UTC)
NASTY = '<script>alert("x")</script> & $made_at'


class Reader(HTMLParser):
    """Collects tags and text, and fails on tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    """The page as a browser sees it."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def rendered(*runs: Details) -> Reader:
    """A page of these runs."""
    totals = Totals()
    for details in runs:
        totals.add(details.manifest)
    return read("".join(page("runs", runs, totals, MADE_AT)))


def details(**manifest: Any) -> Details:
    """A run with this manifest and nothing else."""
    return Details(Path("20260604T101500Z"), manifest, [], 0, [])


def test_a_page_of_every_kind_of_record_is_whole_and_needs_nothing_else(tmp_path: Path) -> None:
    run_dirs.build(tmp_path)
    done = subprocess.run([TOOL, "report", "--root", "."], cwd=tmp_path, capture_output=True, text=True, check=True)
    seen = read((tmp_path / done.stdout.strip()).read_text(encoding="utf-8"))

    folded = [attributes for tag, attributes in seen.tags if tag == "details"]
    assert len(folded) == 9 and not any("open" in attributes for attributes in folded)
    assert not [tag for tag, attributes in seen.tags if "src" in attributes or tag == "link"]
    assert all(str(attributes["href"]).startswith("#") for _, attributes in seen.tags if "href" in attributes)
    assert [tag for tag, _ in seen.tags].count("script") == 1, "the one that sorts the table"
    text = "".join(seen.text)
    assert "unknown cost" in text and "$4.25" in text
    assert "job_failed in watch: the job exited with status 3" in text
    assert done.stderr.count("20260608T000000Z") == 1, "named once"


def test_one_run_without_a_manifest_still_has_a_page(tmp_path: Path) -> None:
    run_dirs.build(tmp_path)
    run_dir = tmp_path / "tune" / "artifacts" / "runpod" / "20260606T070000Z"
    command = [str(TOOL), "report", str(run_dir), "-o", str(tmp_path / "page.html"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == {"path": str(tmp_path / "page.html")}
    assert 'gpu_selected gpu_id="NVIDIA L4"' in "".join(read((tmp_path / "page.html").read_text()).text)


def test_records_cannot_write_markup() -> None:
    manifest = {"job_name": NASTY, "failure": {"message": NASTY}, "deploy_metadata": {NASTY: NASTY}, "state": NASTY}
    seen = rendered(
        Details(Path(NASTY), {**manifest, "phases": [{"name": NASTY}]}, [{"event": NASTY, NASTY: NASTY}], 1, [])
    )

    assert "script" not in [tag for tag, _ in seen.tags]
    assert "".join(seen.text).count(NASTY) >= 4


def test_a_run_alone_is_unfolded() -> None:
    (folded,) = [attributes for tag, attributes in rendered(details()).tags if tag == "details"]
    assert "open" in folded


def test_phases_stand_where_and_as_long_as_they_were() -> None:
    began = [MADE_AT, MADE_AT + timedelta(seconds=100)]
    phases = [{"name": "connect", "started_at": began[0].isoformat(), "duration_sec": 100.0}]
    phases += [{"name": "watch", "started_at": began[1].isoformat(), "duration_sec": 300.0, "cost_usd": 0.3}]
    seen = rendered(details(phases=phases))

    styles = [attributes["style"] for tag, attributes in seen.tags if tag == "i"]
    assert styles == ["left:0.00%;width:max(25.00%,2px)", "left:25.00%;width:max(75.00%,2px)"]
    assert "0:05:00, $0.3000" in seen.text


@pytest.mark.parametrize("seconds", [1e300, -1e15, 86_399_999_999_999])
def test_a_phase_of_an_impossible_length_has_no_bar(seconds: float) -> None:
    phase = {"name": "run", "started_at": "2026-06-05T09:30:00Z", "duration_sec": seconds}
    assert "timeline" not in [given.get("class") for _, given in rendered(details(phases=[phase])).tags]


def test_a_chart_has_a_point_for_each_value_and_gaps_are_passed_over() -> None:
    rows: list[dict[str, Any]] = [
        {"gpu_util_pct": 50},
        {"gpu_util_pct": None},
        {"gpu_util_pct": 100.0},
        {"cpu_user_pct": 3},
    ]
    svg = charts(rows)

    assert svg.count("<figure>") == 1
    assert 'points="0.0,30.0 600.0,0.0"' in svg
    assert "mean 75 %, most 100 %" in svg


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 11, 100, 1000])
def test_thinning_keeps_the_ends_and_the_order(count: int) -> None:
    kept = thinned(iter(range(count)), 10)

    assert kept == sorted(set(kept))
    assert len(kept) <= 11
    assert kept[:1] == list(range(count))[:1] and kept[-1:] == list(range(count))[-1:]


def test_a_long_run_is_cut_and_says_so(tmp_path: Path) -> None:
    rows = [{"ts_utc": MADE_AT.isoformat(), "event": "heartbeat" if i % 2 else "retried"} for i in range(1000)]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "metrics.jsonl").write_text('{"gpu_util_pct": 5}\n' * 10_000)
    found = read_details(tmp_path, {}, lambda *a: None)

    assert (len(found.events), found.events_left_out) == (MOST_EVENTS, 500 - MOST_EVENTS)
    assert len(found.samples) <= MOST_SAMPLES + 1
    assert f"{500 - MOST_EVENTS} more" in "".join(rendered(found).text)


def test_a_link_opens_only_the_page_that_it_is(tmp_path: Path) -> None:
    links = {
        "wandb_run": "https://wandb.ai/me/p/runs/1?a=1&b=2",
        "bad": "javascript:alert(1)",
        "none": None,
        NASTY: NASTY,
    }
    shown = rendered(Details(tmp_path / "run", {"links": links}, [], 0, []))
    anchors = [attributes for name, attributes in shown.tags if name == "a" and "rel" in attributes]
    assert anchors == [{"href": "https://wandb.ai/me/p/runs/1?a=1&b=2", "rel": "noreferrer"}]
    assert "javascript:alert(1)" in shown.text
