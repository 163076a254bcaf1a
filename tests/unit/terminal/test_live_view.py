"""The rows of a run fit on terminals of all sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.text import Text

from runpod_deploy.record import events as e
from runpod_deploy.record.fold import apply
from runpod_deploy.terminal.live_view import Moving, rows, summary
from tests.unit.terminal.pictures import START, phase, picture, state_after, watching

MOVING = Moving("weights", 34_200_000, 136_800_000, 3, 12, 12_000_000.0)


def plain(found: list[Text]) -> str:
    """The rows as a person reads them."""
    return "\n".join(row.plain.rstrip() for row in found)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (40, 8), (20, 5), (8, 2), (80, 12), (60, 13)])
def test_it_fits_every_terminal(tmp_path: Path, width: int, height: int) -> None:
    wide = picture(
        tmp_path, lines=[("job", "界" * 150), ("job", "x" * 500)] * 40, moving=Moving("weights", 10, 30, 1, 2, 3.0)
    )
    for seen in (wide, picture(tmp_path, lines=[], sample={})):
        found = rows(seen, width, height)
        assert len(found) == height
        assert all(row.cell_len <= width and "\n" not in row.plain for row in found)


def test_eighty_by_twenty_four_tells_all(tmp_path: Path) -> None:
    text = plain(rows(picture(tmp_path, moving=MOVING), 80, 24))
    for fact in (
        "NVIDIA L40S · EU-SE-1 · pod k3v9x1q7 · 20:00",
        "✓ choose 0.4 s  ✓ connect 21.4 s  ✓ stage 3.9 s  ▶ watch 19:30 (train)",
        " 34.2 MB of 136.8 MB · 0:08 left · 12.0 MB/s",
        " 93 %  memory ",
        "39.0/48 GB  66 °C 288 W",
        "CPU 44 % · RAM 18.0/64 GB · disk 12.4 GB of 40.0 GB",
        "$0.36 of $1.00",
        "$1.09/hr · cap in 35:00, at 12:55 UTC",
        "epoch 24/60",
    ):
        assert fact in text, text


def test_what_a_card_does_not_tell_is_left_out(tmp_path: Path) -> None:
    row = next(line for line in plain(rows(picture(tmp_path), 100, 30)).splitlines() if line.startswith("GPU 1"))
    assert "1.0/48 GB" in row and "%" not in row and "None" not in row and "°C" not in row


def test_the_newest_lines_are_seen_and_the_last_of_them_last(tmp_path: Path) -> None:
    found = [row.plain for row in rows(picture(tmp_path), 80, 24)]
    assert found[-2] == "epoch 24/60  loss 0.0833"


def test_bars_grow_with_what_they_stand_for(tmp_path: Path) -> None:
    seen = picture(tmp_path)
    (gpu,) = [row for row in rows(seen, 80, 24) if row.plain.startswith("GPU 0")]
    lengths = {span.style: span.end - span.start for span in gpu.spans[:2]}
    assert lengths["cyan"] == round(0.93 * 17) and sum(lengths.values()) == 17


def test_a_transfer_tells_how_far_it_is_and_how_long_it_will_take(tmp_path: Path) -> None:
    (row,) = [row for row in rows(picture(tmp_path, moving=MOVING), 120, 24) if row.plain.startswith("⇅ weights")]
    assert row.plain.endswith("34.2 MB of 136.8 MB · 0:08 left · 12.0 MB/s · 3 of 12 files")
    full, _ = (span.end - span.start for span in row.spans[:2])
    assert full == 24 / 4
    unknown = rows(picture(tmp_path, moving=Moving("weights")), 120, 24)
    assert [row.plain.rstrip() for row in unknown if "⇅" in row.plain] == ["⇅ weights"]


def test_an_interrupt_changes_what_the_foot_says(tmp_path: Path) -> None:
    interrupted = apply(watching(), e.Interrupted(signal="SIGINT"))
    assert "Ctrl-C again skips the pull" in rows(picture(tmp_path, state=interrupted), 80, 24)[-1].plain


def test_the_summary_names_outcome_cost_and_folder(tmp_path: Path) -> None:
    ended = state_after(
        (0, e.RunStarted(run_id="r", job_name="demo", tool_version="1")),
        *phase("watch", 1, 61.0),
        (70, e.JobEnded(exit_code=3, why="exited")),
        (
            70,
            e.ArtifactPullCompleted(label="out", duration_sec=1, files=2, bytes=41_600, bytes_transferred=9, sha256=""),
        ),
        (71, e.ArtifactSkipped(label="logs", reason="not on the pod")),
        *phase("collect", 71, 1.0),
        (75, e.RunFinished(outcome="job_failed", exit_code=20)),
    )
    text = plain(list(summary(replace(picture(tmp_path), state=ended), 80)))
    assert text.startswith("job failed  ") and "  1:15  $0.00" in text
    assert "✓ watch 1:01" in text and "out: 41.6 kB" in text and "logs: skipped" in text
    assert text.endswith("artifacts/runpod/20261101T120000Z")


def test_a_phase_that_was_broken_off_is_not_under_way(tmp_path: Path) -> None:
    closing = state_after(
        (0, e.RunStarted(run_id="r", job_name="demo", tool_version="1")),
        (1, e.PhaseStarted(phase="watch")),
        (9, e.Interrupted(signal="SIGINT")),
        (9, e.PhaseStarted(phase="collect")),
    )
    text = plain(rows(picture(tmp_path, state=closing, now=START), 80, 24))
    assert "■ watch  ▶ collect" in text
