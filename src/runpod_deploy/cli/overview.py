"""The overview of runs that go on: one line a run, fitted to the terminal, and what to do about some. Knows rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ..history.layouts import UNKNOWN, dollars, or_dash
from ..history.matrix import duration_text
from ..history.names import unreported
from ..machine.clock import SystemClock
from ..spec.instants import parse_instant
from ..terminal.fitting import Cell, Column, fitted
from ..terminal.output import info, terminal_width
from .run_tables import print_fitted

Row = dict[str, Any]
COLUMNS = (
    Column("run"),
    Column("job", least=5, comfort=16),
    Column("vars", least=8, comfort=16),
    Column("phase"),
    Column("for", right=True, rank=1),
    Column("GPU"),
    Column("spent", right=True),
    Column("last", least=6, comfort=32),
    Column("ends by", rank=4, extra=True),
    Column("$/hr", right=True, rank=5, extra=True),
    Column("datacenter", rank=6, extra=True),
    Column("pod", rank=7, extra=True),
)
PHASES = {"watch": "job"}
"""Phases that people call otherwise."""
COLOURS = {"interrupted": "red", "job over": "yellow", "detached": "yellow", "unreleased": "red"}
MAKERS = re.compile(r"NVIDIA |GeForce |Tesla |AMD |Instinct | Generation| \d+GB.*|-SXM.*|-PCI.*| PCIe.*| SXM.*| HBM.*")


def print_overview(rows: Sequence[Row]) -> None:
    """A line for each run is on stdout."""
    print_fitted(COLUMNS, cells_of(rows, SystemClock().now()), dense=True)


def cells_of(rows: Sequence[Row], now: datetime) -> list[list[Cell]]:
    """The cells of each run."""
    return [[Cell(text, COLOURS.get(text, "")) for text in texts(row, now)] for row in rows]


def texts(row: Row, now: datetime) -> tuple[str, ...]:
    """The texts of a run, one for each column."""
    rate = row["usd_per_hour"]
    return (
        *(row["timestamp"], row["job"], variables(row), phase(row), lasting(row, now)),
        *(gpu(row), spent(row), last(row), local_time(row["stop_at"]), UNKNOWN if rate is None else dollars(rate)),
        *(or_dash(row["datacenter_id"]), or_dash(row["pod_id"])),
    )


def variables(row: Row) -> str:
    """The variables, such as `lr=0.1 seed=3`."""
    return " ".join(f"{name}={value}" for name, value in row["variables"].items()) or UNKNOWN


def phase(row: Row) -> str:
    """Where the run stands, in one or two words."""
    if row["state"] == "finished":
        return "unreleased" if row["outcome"] == "unreleased" else str(row["outcome"]).replace("_", " ")
    if row["since"] is None:
        return "not begun"
    if row["state"] == "left":
        return "interrupted"
    if row["job_over"] and row["held_by"] is None:
        return "job over"
    if row["state"] == "detached" and row["held_by"] is None:
        return "detached"
    return PHASES.get(row["phase"], row["phase"] or "starting")


def lasting(row: Row, now: datetime) -> str:
    """The time since then in its larger unit: `45s`, `12m`, `3h`, `2d`."""
    since = parse_instant(row["since"])
    found = re.match(r"\d+[smhd]", duration_text(max(0.0, (now - since).total_seconds()))) if since else None
    return found[0] if found else UNKNOWN


def gpu(row: Row) -> str:
    """The GPU in short, with its load while somebody measures it: `A5000 87%`, `2×H100 40%`."""
    if row["gpu_id"] is None:
        return UNKNOWN
    name = MAKERS.sub("", str(row["gpu_id"])).removeprefix("RTX A").strip() or str(row["gpu_id"])
    name = f"A{name}" if "RTX A" in str(row["gpu_id"]) else name
    count = f"{row['gpu_count']}×" if (row["gpu_count"] or 1) > 1 else ""
    unmeasured = row["gpu_util_pct"] is None or phase(row) in COLOURS
    load = "" if unmeasured else f" {row['gpu_util_pct']:.0f}%"
    return f"{count}{name}{load}"


def spent(row: Row) -> str:
    """The money spent, and the cap."""
    usd = UNKNOWN if row["spent_usd"] is None else dollars(row["spent_usd"])
    return f"{usd}/{dollars(row['cost_cap_usd']).removesuffix('.00')}"


def last(row: Row) -> str:
    """The step of the job, and the last line of its log."""
    step = f"[{row['step']}] " if row["step"] else ""
    return f"{step}{row['last_line'] or ''}".strip() or UNKNOWN


def local_time(text: str | None) -> str:
    """The time of day here; a dash for none."""
    at = parse_instant(text)
    return UNKNOWN if at is None else f"{at.astimezone():%H:%M}"


def advice(rows: Sequence[Row]) -> Iterator[str]:
    """A line about each run that needs somebody: what it costs, and the next command."""
    for row in rows:
        name, place, now = row["timestamp"], phase(row), costs(row)
        command = f"runpod-deploy resume {row['run_path'] if ' ' not in row['run_path'] else repr(row['run_path'])}"
        if place == "interrupted":
            yield f"{name}: no process carries it out any more{now}: {command}"
        elif place == "job over":
            yield f"{name}: job over, results on the pod{now}: {command}"
        elif place == "detached":
            follow = command.replace(" resume ", " attach ")
            yield f"{name}: no process here follows it, the job goes on{now}: {follow}"
        elif place == "unreleased":
            yield f"{name}: A POD MAY STILL BE BILLING{now}: {command}"


def costs(row: Row) -> str:
    """What the run costs by the hour, and until when at most."""
    if row["usd_per_hour"] is None:
        return ""
    return f", its pod costs {dollars(row['usd_per_hour'])} an hour{until_when(row['guard_deadline'])}"


def until_when(deadline: str | None) -> str:
    """Until when a pod with this deadline of its guard costs that much."""
    if deadline is None:
        return " until somebody ends it: no guard is known to do so"
    if datetime.fromisoformat(deadline) < SystemClock().now():
        return f"; its guard had to end it at {local_time(deadline)}, and `runpod-deploy audit` shows whether it did"
    return f" until {local_time(deadline)} at the latest"


def watch_overview(look: Callable[..., list[Row]], every_s: float) -> int:
    """Draws the overview again and again, until no run goes on or Ctrl-C. Returns the exit code."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    def drawn(rows: Sequence[Row]) -> Group:
        now = SystemClock().now()
        lines = fitted(COLUMNS, cells_of(rows, now), terminal_width(), dense=True)
        table = [Text.assemble(*((cell.text, cell.style) for cell in line), no_wrap=True) for line in lines]
        head = f"{now.astimezone():%H:%M:%S %Z}  {len(rows)} runs · Ctrl-C leaves them alone"
        return Group(Text(head, "dim"), *table, *(Text(line, "yellow") for line in advice(rows)))

    rows = look(unreported)
    try:
        with Live(drawn(rows), screen=True, auto_refresh=False) as live:
            while rows:
                SystemClock().sleep(every_s)
                rows = look(unreported)
                live.update(drawn(rows), refresh=True)
    except KeyboardInterrupt:
        return 0
    info("no run goes on any more; `runpod-deploy ls-runs` lists how they ended")
    return 0
