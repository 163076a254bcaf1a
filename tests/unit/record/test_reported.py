"""The numbers and links that a job reports: which values count, and which of them is kept."""

from __future__ import annotations

import pytest

from runpod_deploy.machine.limits import JOB_LINK_CHARS, JOB_LINKS, JOB_METRICS
from runpod_deploy.record import events as e
from runpod_deploy.record.fold import fold
from runpod_deploy.record.reported import reported, rounded, values_in


def test_the_last_value_of_each_number_in_the_jobs_events_is_kept() -> None:
    rows = [
        e.JobEvent(name="epoch", fields={"epoch": 1, "loss": 0.9, "log_offset": 70}),
        e.JobEvent(name="epoch", fields={"epoch": 2, "loss": 0.4, "log_offset": 140, "pod_id": "p"}),
        e.JobEvent(name="eval_done", fields={"test": {"f1": 0.8}, "good": True, "path": "/w", "rows": [1]}),
    ]
    assert dict(fold(rows).job.metrics) == {"epoch": 2, "loss": 0.4, "test.f1": 0.8}


def test_a_number_that_is_not_finite_any_more_is_unknown() -> None:
    rows = [e.JobEvent(name="epoch", fields={"loss": 0.9}), e.JobEvent(name="epoch", fields={"loss": None})]
    assert fold(rows).job.metrics == ()


def test_a_file_of_metrics_counts_after_the_events() -> None:
    read = e.ArtifactMetricsRead(label="results", metrics={"loss": 0.3, "bleu": 31.0})
    assert dict(fold([e.JobEvent(name="epoch", fields={"loss": 0.9}), read]).job.metrics) == {"loss": 0.3, "bleu": 31.0}


def test_no_more_names_are_kept_than_a_table_can_show() -> None:
    many = reported((), ((f"m{i}", float(i)) for i in range(JOB_METRICS + 5)))
    assert len(many) == JOB_METRICS
    assert dict(reported(many, [("m0", 7.0), ("new", 1.0)]))["m0"] == 7.0


def test_a_long_name_is_cut_and_a_huge_number_left_out() -> None:
    ((name, value),) = values_in({"x" * 300: 1, "huge": 1e300})
    assert len(name) == 200 and value == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.913249, "0.9132"), (3, "3"), (3.0, "3"), (0.0000123, "1.23e-05"), (1234567.8, "1234568"), (12.3456, "12.35")],
)
def test_numbers_are_shown_with_the_digits_that_count(value: float, shown: str) -> None:
    assert rounded(value) == shown


def test_a_page_that_the_job_names_is_a_link_by_the_name_of_its_event() -> None:
    rows = [
        e.JobEvent(name="wandb_run", fields={"url": "https://wandb.ai/me/digits/runs/a1", "log_offset": 70}),
        e.JobEvent(name="board", fields={"url": "http://127.0.0.1:6006/#scalars?a=1&b=[2]"}),
        e.JobEvent(name="wandb_run", fields={"url": "https://wandb.ai/me/digits/runs/b2"}),
    ]
    assert dict(fold(rows).job.links) == {
        "wandb_run": "https://wandb.ai/me/digits/runs/b2",
        "board": "http://127.0.0.1:6006/#scalars?a=1&b=[2]",
    }


@pytest.mark.parametrize(
    "url",
    [
        *(None, 7, ["https://a"], "", "https://", "javascript:alert(1)", "file:///etc/passwd", "https://ä"),
        *("https://a b", 'https://a"b', "https://a\nb", "https://a<b>", "https://" + "a" * JOB_LINK_CHARS),
    ],
    ids=lambda url: repr(url)[:20],
)
def test_nothing_else_is_a_link(url: object) -> None:
    assert fold([e.JobEvent(name="page", fields={"url": url})]).job.links == ()


def test_no_more_links_are_kept_than_a_page_can_show() -> None:
    rows = [e.JobEvent(name=f"p{i}", fields={"url": f"https://a/{i}"}) for i in range(JOB_LINKS + 5)]
    rows.append(e.JobEvent(name="p0", fields={"url": "https://a/new"}))
    links = dict(fold(rows).job.links)
    assert len(links) == JOB_LINKS and links["p0"] == "https://a/new"
