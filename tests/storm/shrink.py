"""The smallest history that still breaks the same invariant. Knows what can be left out of a history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from tests.storm.history import Act, History, Job, Shape, Weather
from tests.storm.storm import Result, play

MOST_PLAYS = 400


def shrunk(history: History) -> Result:
    """The result of the smallest history found that breaks the same invariant."""
    result = play(history)
    if result.violation is None:
        return result
    plays, again = 0, True
    while again:
        again = False
        for simpler in simplifications(result.history):
            plays += 1
            tried = play_or_none(simpler)
            if tried and tried.violation and tried.violation.name == result.violation.name:
                result, again = tried, True
                break
            if plays >= MOST_PLAYS:
                return result
    return result


def play_or_none(history: History) -> Result | None:
    """The result, or None for a history that cannot be played."""
    try:
        return play(history)
    except Exception:
        return None


def simplifications(history: History) -> Iterator[History]:
    """The history with one thing left out, the largest things first."""
    acts = history.acts
    for i in range(len(acts)):
        if len(acts) > 1:
            yield replace(history, acts=acts[:i] + acts[i + 1 :])
    yield from (replace(history, acts=changed) for changed in simpler_acts(acts))
    if history.nobody_comes:
        yield replace(history, nobody_comes=False)
    for name, plain in (("weather", Weather()), ("shape", Shape()), ("job", Job())):
        yield from (replace(history, **{name: part}) for part in simpler_parts(getattr(history, name), plain))


def simpler_acts(acts: tuple[Act, ...]) -> Iterator[tuple[Act, ...]]:
    """The processes, one of them with a fault or a visit less."""
    for i, act in enumerate(acts):
        simpler = [replace(act, faults=shorter) for shorter in one_less(act.faults)]
        simpler += [replace(act, visits=shorter) for shorter in one_less(act.visits)]
        if act.after_s:
            simpler.append(replace(act, after_s=0.0))
        if act.command == "detach":
            simpler.append(replace(act, command="run"))
        yield from ((*acts[:i], changed, *acts[i + 1 :]) for changed in simpler)


def one_less(things: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The things without each of them in turn."""
    return (things[:i] + things[i + 1 :] for i in range(len(things)))


def simpler_parts(part: Any, plain: Any) -> Iterator[Any]:
    """The part with one field as it is in the plain one, or one entry less."""
    for field in fields(part):
        value, usual = getattr(part, field.name), getattr(plain, field.name)
        if isinstance(value, tuple):
            yield from (replace(part, **{field.name: shorter}) for shorter in one_less(value))
        elif value != usual:
            yield replace(part, **{field.name: usual})
