"""Many runs side by side: which facts differ, which value is the best, and how each is written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import UsageError
from ..record.reported import rounded
from ..spec.plain import is_number
from .facts import GROUPS, METRIC, TAG, VARIABLE, Facts
from .filters import full_key
from .layouts import UNKNOWN, dollars

RESULTS = ("outcome", "duration", "cost")
WORTH_COMPARING = (
    *("job", "gpu", "gpu_count", "dc", "price", "image", "storage", "config", "lockfile"),
    *("git_sha", "git_dirty", "git_branch", "python", "note"),
)
UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))
SHORT_CHARS = 12
"""Hashes are shown with so many characters."""
MARK = "*"
"""It stands behind the best value of a column."""


@dataclass(frozen=True, slots=True)
class Best:
    """The column whose best value is marked."""

    key: str
    lowest: bool = False

    @property
    def name(self) -> str:
        """The column's name without its group."""
        return short_name(self.key)

    def value(self, runs: Iterable[Facts]) -> float | None:
        """The best of the runs' values; None if none is a number."""
        values = [facts[self.key] for facts in runs if is_number(facts.get(self.key))]
        return (min if self.lowest else max)(values, default=None)


def best_of(text: str, runs: Sequence[Facts]) -> Best:
    """What `accuracy` or `loss:min` asks for. Raises UsageError."""
    name, colon, direction = text.rpartition(":")
    if not colon or direction not in ("min", "max"):
        name, direction = text, "max"
    best = Best(full_key(name, runs), direction == "min")
    if best.value(runs) is None:
        raise UsageError(f"--best {text}: {name} is no number in these runs", hint="name a metric, such as loss:min")
    return best


def winners(best: Best, runs: Sequence[Facts]) -> list[Facts]:
    """The runs that have the best value."""
    value = best.value(runs)
    return [facts for facts in runs if value is not None and facts.get(best.key) == value]


def group_keys(runs: Iterable[Facts], begin: str) -> list[str]:
    """The names of one group that any run has, in the order in which they are met."""
    return list(dict.fromkeys(key for facts in runs for key in facts if key.startswith(begin)))


def differing(runs: Sequence[Facts], keys: Iterable[str]) -> list[str]:
    """Those of the names whose values are not the same in all runs."""
    return [key for key in keys if any(facts.get(key) != runs[0].get(key) for facts in runs)]


def compared_keys(runs: Sequence[Facts]) -> list[str]:
    """The names of what differs between the runs: parameters, results, then everything else."""
    variables, metrics, tags = (group_keys(runs, begin) for begin in (VARIABLE, METRIC, TAG))
    return differing(runs, [*variables, *metrics, *RESULTS, *WORTH_COMPARING, *tags])


def varying_keys(runs: Sequence[Facts]) -> list[str]:
    """The variables of which runs have different values, and all metrics; of a single run, all variables."""
    variables = group_keys(runs, VARIABLE)
    varied = [key for key in variables if len({str(facts[key]) for facts in runs if key in facts}) > 1]
    return [*(varied if len(runs) > 1 else variables), *group_keys(runs, METRIC)]


def short_name(key: str) -> str:
    """The name without its group."""
    return next((key.removeprefix(begin) for begin in GROUPS if key.startswith(begin)), key)


def titles(keys: Sequence[str]) -> list[str]:
    """A heading for each name: without its group, unless two would then be the same."""
    short = [short_name(key) for key in keys]
    return [key if short.count(name) > 1 else name for key, name in zip(keys, short, strict=True)]


def value_text(key: str, value: Any) -> str:
    """The value as a person reads it; a dash for none."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    if is_number(value):
        return number_text(key, value)
    short = key in ("config", "git_sha", "lockfile")
    return str(value)[:SHORT_CHARS] if short else str(value)


def number_text(key: str, value: float) -> str:
    """The number, in the unit of its name."""
    if key == "duration":
        return duration_text(value)
    return dollars(value) if key in ("cost", "cap", "price") else rounded(value)


def duration_text(seconds: float) -> str:
    """A duration in the two largest units: `45s`, `12m03s`, `2h05m`, `3d04h`."""
    for size, unit, smaller, next_unit in UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}{int(seconds % size // smaller):02d}{next_unit}"
    return f"{seconds:.0f}s"


def marked(key: str, facts: Facts, best: Best | None, value: float | None) -> str:
    """The text of a fact, with a mark behind the best one."""
    text = value_text(key, facts.get(key))
    return f"{text}{MARK}" if best and key == best.key and value is not None and facts.get(key) == value else text


def parameters(facts: Facts, begin: str = VARIABLE) -> Iterator[str]:
    """The facts of a group, such as `seed=3`."""
    return (f"{short_name(key)}={value_text(key, value)}" for key, value in facts.items() if key.startswith(begin))
