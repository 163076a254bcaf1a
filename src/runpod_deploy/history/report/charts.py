"""Line charts of metrics and a timeline of phases, as SVG and CSS. Pure; leaves colours to the style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ...spec.instants import parse_instant
from ..costs import PhaseCost
from ..events import Row
from ..manifests import finite_number
from .markup import html_text, share, tag

WIDTH, HEIGHT = 600, 60
LARGEST_S = 1e9
"""No phase takes 30 years; a manifest that says so was not written by this tool."""
SERIES = (
    ("gpu_util_pct", "GPU", "%"),
    ("gpu_mem_used_mb", "GPU memory", "MB"),
    ("gpu_temp_c", "GPU temperature", "°C"),
    ("cpu_user_pct", "CPU", "%"),
    ("host_mem_used_mb", "memory", "MB"),
)


def charts(samples: Sequence[Row]) -> str:
    """A chart for each metric that has at least two values."""
    drawn = (chart(values, title, unit) for key, title, unit in SERIES if len(values := series(samples, key)) > 1)
    return "".join(drawn)


def series(samples: Sequence[Row], key: str) -> list[float]:
    """The values of one metric; samples without it are skipped."""
    return [value for row in samples if (value := finite_number(row, key)) is not None]


def chart(values: Sequence[float], title: str, unit: str) -> str:
    """One line from the first value to the last; its height goes from zero to the maximum."""
    most = max(values) or 1.0
    step = WIDTH / (len(values) - 1)
    points = " ".join(f"{i * step:.1f},{HEIGHT * (1 - value / most):.1f}" for i, value in enumerate(values))
    line = tag("polyline", points=points, fill="none", **{"vector-effect": "non-scaling-stroke"})
    svg = tag("svg", line, viewBox=f"0 0 {WIDTH} {HEIGHT}", preserveAspectRatio="none", role="img")
    mean = sum(values) / len(values)
    caption = f"{title}: mean {mean:.0f} {unit}, most {most:.0f} {unit}"
    return tag("figure", svg, tag("figcaption", html_text(caption)))


def timeline(phases: Sequence[PhaseCost]) -> str:
    """A bar for each phase, by its start and duration; empty if no times are known."""
    spans = [span for phase in phases if (span := span_of(phase, phases[0])) is not None]
    whole = max((start + length for _, start, length in spans), default=0.0)
    rows = (timeline_row(phase, share(start, whole), share(length, whole)) for phase, start, length in spans)
    return tag("div", *rows, css="timeline") if spans else ""


def span_of(phase: PhaseCost, first: PhaseCost) -> tuple[PhaseCost, float, float] | None:
    """The phase with its start after the first phase and its duration, in seconds; None if a time is unknown."""
    began_at, origin_at = parse_instant(phase.began_at), parse_instant(first.began_at)
    if began_at is None or origin_at is None or phase.duration_s is None or not 0 <= phase.duration_s < LARGEST_S:
        return None
    return phase, max(0.0, (began_at - origin_at).total_seconds()), phase.duration_s


def timeline_row(phase: PhaseCost, left: str, width: str) -> str:
    """One row of the timeline."""
    lasted = timedelta(seconds=round(phase.duration_s or 0))
    cost = "" if phase.cost_usd is None else f", ${phase.cost_usd:.4f}"
    block = tag("i", style=f"left:{left}%;width:max({width}%,2px)")
    return tag("div", tag("b", html_text(phase.name)), tag("span", block), tag("em", html_text(f"{lasted}{cost}")))
