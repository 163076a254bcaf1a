"""The promises that hold in every case. Pure: the outcome and what was expected in, violations out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .runner import GRACE_S, SLACK_S, Outcome

VIOLATIONS = ("leak", "second pod", "double start", "overspend", "difference", "hang", "defect")


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise."""

    kind: str
    """One of VIOLATIONS."""
    message: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The common result of undisturbed runs."""

    code: int
    rows: int
    files: dict[str, str]
    usd_per_hour: float = 0.0


def expected(undisturbed: Sequence[Outcome]) -> Expected:
    """The result that every run has to reach; files that differ between undisturbed runs are not compared.

    Raises ValueError if the undisturbed runs did not end alike.
    """
    first, *others = undisturbed
    if first.code is None or any(outcome.code != first.code for outcome in others):
        raise ValueError(f"undisturbed runs do not end alike: {[one.code for one in undisturbed]}\n{first.stderr}")
    common = set(first.files.items()).intersection(*(outcome.files.items() for outcome in others))
    return Expected(first.code, len(first.events), dict(common), max(one.usd_per_hour for one in undisturbed))


def violations(outcome: Outcome, wanted: Expected) -> Iterator[Violation]:
    """Every promise that was broken."""
    if outcome.hung:
        yield Violation("hang", "it did not end")
    if "Traceback" in outcome.stderr or '"kind": "internal"' in outcome.stderr:
        yield Violation("defect", outcome.stderr.strip().splitlines()[-1])
    yield from money(outcome)
    abandoned = outcome.events.count("pod_abandoned")
    if outcome.pods > 1 + abandoned:
        yield Violation("second pod", f"{outcome.pods} pods were made, {abandoned} of them abandoned")
    if outcome.starts > 1:
        yield Violation("double start", f"the job was started {outcome.starts} times")
    if outcome.code is not None:
        yield from ending(outcome, wanted)


def money(outcome: Outcome) -> Iterator[Violation]:
    """Broken promises about the bill."""
    if outcome.left:
        yield Violation("leak", f"still bills: {', '.join(outcome.left)}")
    elif outcome.left_after_grace:
        pods = ", ".join(outcome.left_after_grace)
        yield Violation("leak", f"an audit had to delete it though it had a guard: {pods}")
    if outcome.overspent_s > GRACE_S + SLACK_S and not outcome.reaped:
        yield Violation("overspend", f"{outcome.overspent_s:.0f} s over the cap")


def ending(outcome: Outcome, wanted: Expected) -> Iterator[Violation]:
    """Broken promises of a run that ended: one that reports success must have every file."""
    # A run that nobody was to resume has a small cap, which a busy machine may use up before the kill comes.
    if outcome.case.mild and outcome.case.resumed and outcome.code != wanted.code:
        yield Violation("difference", f"exit code {outcome.code} instead of {wanted.code}")
    if outcome.code == wanted.code:
        wrong = sorted(path for path, digest in wanted.files.items() if outcome.files.get(path) != digest)
        if wrong:
            yield Violation("difference", f"not as in an undisturbed run: {', '.join(wrong)}")
