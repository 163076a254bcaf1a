"""Which runs of many are meant, and in which order. Pure; knows the names of facts; knows no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..spec.spelling import closest
from .conditions import Condition, parse_condition
from .facts import GROUPS, METRIC, TAG, Facts, run_facts

Filter = Callable[[Facts], bool]
LONG_NAMES = {"datacenter": "dc", "gpu_id": "gpu", "pod_id": "pod", "seconds": "duration", "usd": "cost"}
FAILED = "failed"
HINT = "filters are KEY=VALUE, such as outcome=failed, var.seed=3, metric.loss<0.5, job=tune, tag=nightly, since=7d"


def run_filter(text: str) -> Filter:
    """The filter that this text means. Raises UsageError."""
    condition = parse_condition(text)
    key = known_key(condition.key)
    if key == "outcome" and condition.value == FAILED and condition.operator in ("=", "!="):
        return lambda facts: has_failed(facts) is (condition.operator == "=")
    if key == "tag":
        return lambda facts: has_tag(facts, condition)
    return lambda facts: meets(facts.get(key), condition)


def known_key(key: str) -> str:
    """The name of the fact. Raises UsageError for a name that no run can have."""
    name = LONG_NAMES.get(key, key)
    names = [*run_facts_names(), "tag"]
    if name in names or name.startswith(tuple(GROUPS)):
        return name
    near = closest(name, [*names, *LONG_NAMES])
    raise UsageError(f"runs have no {key!r}", hint=f"did you mean {near}?" if near else HINT)


def run_facts_names() -> list[str]:
    """The names of the facts that every run has."""
    return list(run_facts(Path(), {}))


def has_failed(facts: Facts) -> bool:
    """Whether the run failed, by itself: one that was interrupted has not."""
    return facts["failed"] is True and facts["outcome"] != "interrupted"


def has_tag(facts: Facts, condition: Condition) -> bool:
    """Whether the run has the tag `NAME`, or `NAME=VALUE`; the opposite with `!=`."""
    name, equals, value = condition.value.partition("=")
    own = facts.get(f"{TAG}{name}")
    found = own is not None and (not equals or str(own) == value)
    return found is (condition.operator != "!=")


def meets(value: Any, condition: Condition) -> bool:
    """Whether a fact meets the condition. One that is not known only meets `!=`."""
    if value is None:
        return condition.operator == "!="
    return condition.test(value.isoformat() if isinstance(value, datetime) else value)


def since(at: datetime) -> Filter:
    """The filter for runs that began at this instant or later."""
    return lambda facts: facts["started"] is not None and facts["started"] >= at


def sorted_runs(runs: Iterable[Facts], key: str) -> list[Facts]:
    """The runs by that fact; with `-` before its name, the largest first. Runs without the fact come last."""
    name = known_key(key.removeprefix("-"))
    known: list[Facts] = []
    unknown: list[Facts] = []
    for facts in runs:
        (unknown if facts.get(name) is None else known).append(facts)
    return [*sorted(known, key=lambda facts: in_order(facts[name]), reverse=key.startswith("-")), *unknown]


def in_order(value: Any) -> tuple[int, Any]:
    """A value that can be compared with every other: numbers, also in texts, before times and texts."""
    try:
        return 0, float(value)
    except (TypeError, ValueError):
        return 1, value.isoformat() if isinstance(value, datetime) else str(value)


def full_key(name: str, runs: Sequence[Facts]) -> str:
    """The whole name of a column: `loss` is `metric.loss`, and `seed` is `var.seed`, if runs have these.

    Raises UsageError if no run has it.
    """
    for key in (name, LONG_NAMES.get(name, name), *(f"{begin}{name}" for begin in (METRIC, *GROUPS))):
        if any(key in facts for facts in runs):
            return key
    near = closest(name, {key.split(".", 1)[-1] for facts in runs for key in facts})
    raise UsageError(
        f"no run has {name!r}", hint=f"did you mean {near}?" if near else "`ls-runs --json` shows what runs have"
    )
