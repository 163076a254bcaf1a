"""The table of runs with their variables and metrics, which a click sorts. Pure: facts in, markup out."""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.plain import is_number
from ..facts import TAG, Facts
from ..matrix import Best, group_keys, titles, value_text, varying_keys
from .markup import html_text, safe, tag

FIRST, LAST = ("run", "job", "outcome", "cost"), ("duration", "started", "gpu", "dc", "note")
COLOURS = {True: "failed", False: "fine", None: "open"}


def runs_table(runs: Sequence[Facts], best: Best | None) -> str:
    """The table; empty for less than two runs."""
    if len(runs) < 2:
        return ""
    asked = [best.key] if best else []
    keys = [*FIRST, *asked, *varying_keys(runs), *LAST, *group_keys(runs, TAG)]
    shown = [key for key in dict.fromkeys(keys) if any(run.get(key) is not None for run in runs)]
    numbers = {key for key in shown if all(run.get(key) is None or is_number(run[key]) for run in runs)}
    head = (heading(key, title, key in numbers) for key, title in zip(shown, titles(shown), strict=True))
    top = best.value(runs) if best else None
    body = (tag("tr", *(cell(key, run, key in numbers, best, top) for key in shown)) for run in runs)
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body), css="runs")
    return tag("div", table, css="scroll")


def heading(_key: str, title: str, number: bool) -> str:
    """The heading of a column, which sorts by it."""
    return tag("th", tag("button", safe(title), type="button"), css="number" if number else "", scope="col")


def cell(key: str, run: Facts, number: bool, best: Best | None, top: float | None) -> str:
    """One value; a run's name leads to its details."""
    value = run.get(key)
    text = html_text(value_text(key, value))
    if key == "run":
        return tag("td", tag("a", text, href=f"#{value}"))
    classes = ["number"] if number else [COLOURS[run["failed"]]] if key == "outcome" else []
    if best and key == best.key and top is not None and value == top:
        classes.append("best")
    raw = {"data-value": str(value)} if number and value is not None else {}
    return tag("td", text, css=" ".join(classes), **raw)
