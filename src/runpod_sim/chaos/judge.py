"""The promises that hold in every case. Pure: the outcome and what was expected in, violations out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .cases import MISBEHAVING, TWO_FOLDERS
from .guards import GRACE_S, SLACK_S
from .outcome import Outcome

VIOLATIONS = ("leak", "foreign pod", "second pod", "double start", "overspend", "difference", "hang", "defect")


DEFECT_SIGNS = ("Traceback", '"kind": "internal"', "kind: internal")
BUSY = 8
"""The exit code of a run that another folder has: two folders with one run id are two machines."""
GIVEN_UP = ("pod_abandoned", "late_pod_found", "pod_left_behind")
"""Events of pods that the run does not use, and has deleted or named."""


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
    if any(sign in outcome.stderr for sign in DEFECT_SIGNS):
        yield Violation("defect", outcome.stderr.strip().splitlines()[-1])
    yield from money(outcome)
    given_up = sum(name in GIVEN_UP for name in outcome.events) + outcome.case.has("migrates")
    if outcome.pods > 1 + given_up:
        yield Violation("second pod", f"{outcome.pods} pods were made, {given_up} of them given up")
    if outcome.starts > 1:
        yield Violation("double start", f"the job was started {outcome.starts} times")
    if outcome.touched:
        yield Violation("foreign pod", "; ".join(outcome.touched))
    if outcome.code is not None:
        yield from ending(outcome, wanted)
    if outcome.other:
        yield from violations(outcome.other, wanted)


def money(outcome: Outcome) -> Iterator[Violation]:
    """Broken promises about the bill."""
    if outcome.unnamed:
        yield Violation("leak", f"bills after exit code {outcome.code}, not named: {', '.join(outcome.unnamed)}")
    elif outcome.left:
        yield Violation("leak", f"still bills: {', '.join(outcome.left)}")
    elif outcome.left_after_grace:
        pods = ", ".join(outcome.left_after_grace)
        yield Violation("leak", f"an audit had to delete it though it had a guard: {pods}")
    if outcome.overspent_s > GRACE_S + SLACK_S and not outcome.reaped:
        yield Violation("overspend", f"{outcome.overspent_s:.0f} s over the cap")


def ending(outcome: Outcome, wanted: Expected) -> Iterator[Violation]:
    """Broken promises of a run that ended: one that reports success must have every file."""
    if outcome.case.resume_method == TWO_FOLDERS and outcome.code == BUSY:
        return  # the other folder has the run
    # A run that nobody was to resume has a small cap, which a busy machine may use up before the kill comes.
    if outcome.case.mild and outcome.case.resumed and outcome.code != wanted.code:
        yield Violation("difference", f"exit code {outcome.code} instead of {wanted.code}")
    if outcome.code == wanted.code:
        wrong = sorted(path for path, digest in wanted.files.items() if outcome.files.get(path) != digest)
        if outcome.case.variant == MISBEHAVING:
            # Of a log that the job empties, a driver that was killed then has the beginning or not.
            wrong = [path for path in wrong if not path.endswith("run.log")]
        if wrong:
            yield Violation("difference", f"not as in an undisturbed run: {', '.join(wrong)}")
