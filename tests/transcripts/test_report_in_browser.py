"""The report in a browser: nothing overflows or is clipped, a click sorts, and a short run fits on one sheet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runpod_deploy.history.details import read_details
from runpod_deploy.history.facts import run_facts
from runpod_deploy.history.manifests import read_manifest
from runpod_deploy.history.matrix import best_of
from runpod_deploy.history.report.page import page
from runpod_deploy.history.totals import Totals
from tests.support.browser import CHROMIUM, Browser
from tests.transcripts import run_dirs

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, as Debian has it")
MADE_AT = datetime(2026, 11, 28, tzinfo=UTC)
OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
CLIPPED = """[...document.querySelectorAll('h1, summary span, dd, dt, .tiles div, td, th, li, pre, figcaption, em')]
    .filter(e => e.scrollWidth > e.clientWidth + 1
    && getComputedStyle(e).display !== 'inline').map(e => e.textContent)"""
NARROW = """[...document.querySelectorAll('td, th, dd')].filter(e => e.offsetParent && e.textContent.length > 3)
    .filter(e => e.getBoundingClientRect().width < 24).map(e => e.textContent)"""
COLUMN = "[...document.querySelectorAll('.runs tbody tr')].map(row => row.cells[{}].textContent)"
COLOURS = "[getComputedStyle(document.body).color, getComputedStyle(document.documentElement).colorScheme]"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about a sweep."""
    root = run_dirs.sweep(tmp_path_factory.mktemp("sweep"))
    return written(root / "sweep.html", sorted((root / "artifacts" / "runpod").glob("[!.]*")), "loss:min")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about one short run that failed, with long words in its records."""
    run_dir = tmp_path_factory.mktemp("one") / "20261120T180003Z"
    phases = [
        {"name": name, "started_at": f"2026-11-20T18:0{at}:00+00:00", "duration_sec": 58.0, "cost_usd": 0.004}
        for at, name in enumerate(("check", "choose", "provision", "connect", "stage", "watch", "collect", "release"))
    ]
    long = "x" * 300
    run_dirs.write(run_dir, {**run_dirs.of_sweep(3), **run_dirs.ours(), "note": long, "phases": phases}, run_dirs.OURS)
    (run_dir / "run.log").write_text(f"{long}\n" + "epoch 1\rdone\nKilled\n" * 8)
    load = ({"gpu_util_pct": at % 100, "cpu_user_pct": 3, "gpu_temp_c": 50} for at in range(60))
    (run_dir / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in load))
    return written(run_dir / "report.html", [run_dir], None)


def written(target: Path, run_dirs: list[Path], best: str | None) -> Path:
    """The report of these runs, in that file."""
    totals, manifests = Totals(), [read_manifest(path) for path in run_dirs]
    for manifest in manifests:
        totals.add(manifest)
    facts = [run_facts(path, manifest) for path, manifest in zip(run_dirs, manifests, strict=True)]
    details = [read_details(path, manifest, print) for path, manifest in zip(run_dirs, manifests, strict=True)]
    mark = best_of(best, facts) if best else None
    target.write_text("".join(page(target.parent.name, details, totals, MADE_AT, facts, mark)), encoding="utf-8")
    return target


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["sweep", "failed"])
def test_nothing_overflows_or_is_clipped(
    name: str, width: int, browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    browser.open(request.getfixturevalue(name), width=width)
    browser.value("document.querySelectorAll('details').forEach(e => { e.open = true })")
    browser.screenshot(tmp_path / f"{name}-{width}.png")
    assert not browser.value(OVERFLOWS)
    assert browser.value(CLIPPED) == []
    assert browser.value(NARROW) == []
    assert browser.errors == []


def test_a_click_sorts_by_number_in_both_directions_without_a_network(browser: Browser, sweep: Path) -> None:
    browser.open(sweep, width=1280)
    heads = browser.value("[...document.querySelectorAll('.runs th')].map(e => e.textContent)")
    click = f"document.querySelectorAll('.runs th button')[{heads.index('accuracy')}].click()"
    column = COLUMN.format(heads.index("accuracy"))

    browser.value(click)
    assert browser.value(column) == ["0.9038", "0.9125", "0.9411", "—", "—", "—"]
    browser.value(click)
    assert browser.value(column) == ["0.9411", "0.9125", "0.9038", "—", "—", "—"]
    assert browser.value("document.querySelector('.best').textContent") == "0.22"
    assert browser.errors == []


def test_light_and_dark_are_both_readable(browser: Browser, sweep: Path) -> None:
    browser.open(sweep, width=1280)
    light = browser.value(COLOURS)
    browser.open(sweep, width=1280, dark=True)
    assert light[0] == "rgb(0, 0, 0)" and browser.value(COLOURS)[0] == "rgb(255, 255, 255)"


def test_what_failed_comes_first_and_a_short_run_is_one_sheet(browser: Browser, failed: Path) -> None:
    browser.open(failed, width=1280)
    seen = browser.value("document.body.innerText")
    assert seen.index("the job exited with status 3") < seen.index("Killed") < seen.index("Phases")
    assert "digits" in browser.value("document.title") or "tune" in browser.value("document.title")
    assert browser.pages_on_paper() == 1
