"""A run as rows of styled text for a terminal of any size. Pure. Knows rich; draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.text import Text

from ..money import cents
from ..record.parts import PhaseTime
from ..record.state import State
from ..spec import Spec
from ..spec.plain import is_number
from ..spec.visible import visible
from .console import left_cost, size
from .instants import LOCAL
from .style import share_colour, state_colour

# With fewer rows than this, only the log is shown below the head.
SMALL_ROWS = 12
LEAST_LOG_ROWS = 4
BAR, WIDEST_BAR = "━", 24
GAP = Text("  ")
# The time of a phase that took less is not shown.
WORTH_S = 0.05
MOST_GPUS = 8
LIMIT_NAMES = {"cost_cap": "cap", "max_runtime": "time limit"}


@dataclass(frozen=True, slots=True)
class Moving:
    """A transfer that is under way."""

    label: str
    bytes: int = 0
    of_bytes: int = 0
    """0 while the amount is not known."""
    files: int = 0
    of_files: int = 0
    per_s: float = 0.0
    """Bytes a second since it began."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is shown of a run."""

    spec: Spec
    state: State
    now: datetime
    run_dir: str
    lines: Sequence[tuple[str, str]] = ()
    """The last lines, each with the name of what printed it; the name is empty for lines about events."""
    sample: dict[str, Any] = field(default_factory=dict)
    """The latest row of metrics.jsonl."""
    moving: Moving | None = None
    has_keys: bool = False
    """Whether typed keys are read."""
    detaching: bool = False
    """Whether this process leaves the run as soon as the job runs."""


def rows(picture: Picture, width: int, height: int) -> list[Text]:
    """Exactly `height` rows, none wider than the terminal."""
    top = [head(picture)]
    if height >= SMALL_ROWS:
        top += [*phase_rows(picture, width), *usage_rows(picture, width)]
    top = [*top[: height - LEAST_LOG_ROWS - 2], money(picture, width), Text("─" * width, style="dim")]
    below = [foot(picture)] if height >= SMALL_ROWS else []
    room = max(0, height - len(top) - len(below))
    log = [log_row(source, line) for source, line in picture.lines[-room:]] if room else []
    blank = [Text()] * (room - len(log))
    return [fitted(row, width) for row in (*top, *log, *blank, *below)][:height]


def fitted(row: Text, width: int) -> Text:
    """The row cut to the terminal."""
    row = visible_row(row[: width + 1])
    row.truncate(width, overflow="ellipsis")
    return row


def visible_row(row: Text) -> Text:
    """A copy of the row that is safe to show."""
    if visible(row.plain) == row.plain:
        return row.copy()
    pieces = row.divide(range(1, len(row)))
    return Text.assemble(*((visible(piece.plain), piece.style) for piece in pieces))


def head(picture: Picture) -> Text:
    """The run, its GPU, datacenter and pod, and the time since it began."""
    state = picture.state
    row = Text(picture.spec.run_id, style="bold")
    for fact in (state.pod.gpu_id, state.pod.datacenter_id, state.pod.id and f"pod {state.pod.id}"):
        row.append(f" · {fact}" if fact else "", style="not bold")
    return row.append(f" · {clock(picture.now, state.started_at)}", style="not bold cyan")


def clock(now: datetime, since: datetime | None) -> str:
    """The time since then, as `1:05` or `2:03:09`."""
    seconds = max(0, int((now - since).total_seconds())) if since else 0
    return span(seconds)


def span(seconds: float) -> str:
    """Seconds as `1:05` or `2:03:09`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def phase_rows(picture: Picture, width: int) -> list[Text]:
    """The phases with their times, as many in a row as fit."""
    packed: list[list[Text]] = [[]]
    for item in (phase_text(phase, picture) for phase in picture.state.progress.phases):
        if GAP.join([*packed[-1], item]).cell_len > width:
            packed.append([])
        packed[-1].append(item)
    return [GAP.join(items) for items in packed if items]


def phase_text(phase: PhaseTime, picture: Picture) -> Text:
    """One phase: done, failed, broken off, or under way with its current step."""
    if phase.broken_off:
        return Text(f"■ {phase.name}", style="yellow")
    failed = {f.phase for f in (picture.state.end.forward_failure, *picture.state.end.closing_failures) if f}
    if phase.duration_s is None:
        step = f" ({picture.state.job.step})" if phase.name == "watch" and picture.state.job.step else ""
        return Text(f"▶ {phase.name} {clock(picture.now, phase.started_at)}{step}", style="bold cyan")
    mark, style = ("✗", "red") if phase.name in failed else ("✓", "green")
    took = f" {phase.duration_s:.1f} s" if phase.duration_s < 60 else f" {span(phase.duration_s)}"
    return Text.assemble((f"{mark} {phase.name}", style), (took if phase.duration_s >= WORTH_S else "", "dim"))


def usage_rows(picture: Picture, width: int) -> list[Text]:
    """The transfer that is under way, each GPU, and the machine."""
    found = [transfer_row(picture.moving, bar_width(width))] if picture.moving else []
    gpus = picture.sample.get("gpus")
    found += [gpu_row(gpu, bar_width(width)) for gpu in listed(gpus)[:MOST_GPUS]]
    if picture.sample:
        found.append(machine_row(picture.sample))
    return found


def transfer_row(moving: Moving, cells: int) -> Text:
    """A transfer's progress, and the time that it still takes at this speed."""
    row = Text(f"⇅ {moving.label} ", style="cyan")
    if moving.of_bytes:
        row.append_text(bar(moving.bytes / moving.of_bytes, cells))
        row.append(f" {size(moving.bytes)} of {size(moving.of_bytes)}", style="default")
    if moving.per_s:
        left_s = max(0, moving.of_bytes - moving.bytes) / moving.per_s
        row.append(f" · {span(left_s)} left · {size(moving.per_s)}/s", style="default")
    if moving.of_files > 1:
        row.append(f" · {moving.files} of {moving.of_files} files", style="default")
    return row


def bar_width(width: int) -> int:
    """The length of a bar, so that two fit in a row."""
    return max(4, min(WIDEST_BAR, (width - 46) // 2))


def listed(rows: Any) -> list[dict[str, Any]]:
    """The objects of a list; none if it is no list."""
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def number(row: dict[str, Any], key: str) -> float | None:
    """The number at that key of a pod's sample; None for anything else, since a pod may send anything."""
    value = row.get(key)
    return value if is_number(value) else None


def gpu_row(gpu: dict[str, Any], cells: int) -> Text:
    """One GPU: its load and its memory; values that it does not report are left out."""
    used, total = number(gpu, "mem_used_mb"), number(gpu, "mem_total_mb")
    row = Text(f"GPU {number(gpu, 'index') or 0} ")
    if (util := number(gpu, "util_pct")) is not None:
        row.append_text(bar(util / 100, cells)).append(f" {util:3.0f} %")
    if used is not None and total:
        row.append("  memory ").append_text(bar(used / total, cells)).append(
            f" {used / 1024:.1f}/{total / 1024:.0f} GB"
        )
    for key, unit in (("temp_c", "  {:.0f} °C"), ("power_w", " {:.0f} W")):
        value = number(gpu, key)
        row.append("" if value is None else unit.format(value), style="dim")
    return row


def machine_row(sample: dict[str, Any]) -> Text:
    """The load of the processors, and the memory and the volume of the pod."""
    parts = []
    if (user := number(sample, "cpu_user_pct")) is not None:
        parts.append(f"CPU {user + (number(sample, 'cpu_sys_pct') or 0):.0f} %")
    used, total = number(sample, "host_mem_used_mb"), number(sample, "host_mem_total_mb")
    if used is not None and total:
        parts.append(f"RAM {used / 1024:.1f}/{total / 1024:.0f} GB")
    used, total = number(sample, "workspace_disk_used_bytes"), number(sample, "workspace_disk_total_bytes")
    if used is not None and total:
        parts.append(f"disk {size(used)} of {size(total)}")
    return Text(" · ".join(parts), style="dim")


def bar(share: float, cells: int, style: str = "cyan") -> Text:
    """A bar whose filled part is the share."""
    full = round(max(0.0, min(1.0, share)) * cells)
    return Text.assemble((BAR * full, style), (BAR * (cells - full), "bright_black"))


def money(picture: Picture, width: int) -> Text:
    """The money spent, the cap, and the time at which the run is stopped at the latest."""
    state, cap = picture.state, picture.spec.job.budget.cost_cap_usd
    spent = state.cost.spent_usd(picture.now)
    share = spent / cap if cap else 0.0
    row = Text(f"${cents(spent)} of ${cents(cap)} ").append_text(bar(share, bar_width(width), share_colour(share)))
    if state.cost.usd_per_hour is not None:
        row.append(f" ${cents(state.cost.usd_per_hour)}/hr")
    if state.cost.stop_at and not state.end.released:
        left_s = max(0.0, (state.cost.stop_at - picture.now).total_seconds())
        limit, at = LIMIT_NAMES.get(state.cost.stop_why, "limit"), state.cost.stop_at.astimezone(LOCAL)
        row.append(f" · {limit} in {span(left_s)}, at {at:%H:%M %Z}")
    return row


def log_row(source: str, line: str) -> Text:
    """One line of output, or one line about an event."""
    if not source:
        return Text(line, style="cyan")
    return Text(line) if source == "job" else Text.assemble((f"{source} | ", "dim"), line)


def foot(picture: Picture) -> Text:
    """The ways to leave and to end the run, and its folder."""
    if picture.state.end.interrupted:
        return Text("results are pulled, then the pod is released · Ctrl-C again skips the pull", style="yellow")
    if not picture.has_keys:
        return Text(f"Ctrl-C ends the job and releases the pod · {picture.run_dir}", style="dim")
    if picture.detaching:
        return Text("detaches as soon as the job runs · q ends the job and releases the pod", style="yellow")
    return Text(f"d detaches · q or Ctrl-C ends the job and releases the pod · {picture.run_dir}", style="dim")


def summary(picture: Picture, width: int) -> Iterable[Text]:
    """The rows that stay on the screen after the run."""
    state = picture.state
    outcome = state.outcome if state.end.finished else "detached"
    took, spent = (
        clock(state.end.finished_at or picture.now, state.started_at),
        state.cost.spent_usd(picture.now),
    )
    style = f"bold {state_colour(outcome) or 'red'}"
    yield Text.assemble((outcome.replace("_", " "), style), f"  {picture.spec.run_id}  {took}  ${cents(spent)}")
    yield from (Text("  ").append_text(row) for row in phase_rows(picture, width - 2))
    for label, artifact in state.work.artifacts:
        what = size(artifact.bytes_total or 0) if artifact.status == "success" else artifact.error or artifact.status
        yield Text(f"  {label}: {what}")
    if state.end.released and (cost := left_cost(state)):
        yield Text(f"  pod {state.pod.id} is kept: {cost}", style="yellow")
    yield Text(f"  {picture.run_dir}", style="dim")
