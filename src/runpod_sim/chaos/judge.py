"""What must be true whatever happened. Pure: what was played and what was expected in, flaws out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .play import GRACE_S, SLACK_S, Played

KINDS = ("leak", "second pod", "double start", "overspend", "difference", "hang", "defect")


@dataclass(frozen=True, slots=True)
class Flaw:
    """A broken promise."""

    kind: str
    """One of KINDS."""
    words: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What undisturbed runs have in common."""

    code: int
    rows: int
    files: dict[str, str]
    usd_per_hour: float = 0.0


def expected(undisturbed: Sequence[Played]) -> Expected:
    """What may be asked of every run: what differs between two that nothing befell is not compared.

    Raises ValueError if they did not end alike.
    """
    first, *others = undisturbed
    if first.code is None or any(played.code != first.code for played in others):
        raise ValueError(f"undisturbed runs do not end alike: {[played.code for played in undisturbed]}\n{first.words}")
    common = set(first.files.items()).intersection(*(played.files.items() for played in others))
    return Expected(first.code, len(first.events), dict(common), max(played.usd_per_hour for played in undisturbed))


def flaws(played: Played, wanted: Expected) -> Iterator[Flaw]:
    """Every promise that was broken."""
    if played.hung:
        yield Flaw("hang", "it did not end")
    if "Traceback" in played.words or '"kind": "internal"' in played.words:
        yield Flaw("defect", played.words.strip().splitlines()[-1])
    yield from money(played)
    abandoned = played.events.count("pod_abandoned")
    if played.pods > 1 + abandoned:
        yield Flaw("second pod", f"{played.pods} pods were made, {abandoned} of them abandoned")
    if played.starts > 1:
        yield Flaw("double start", f"the job was started {played.starts} times")
    if played.code is not None:
        yield from ending(played, wanted)


def money(played: Played) -> Iterator[Flaw]:
    """What concerns the bill."""
    if played.left:
        yield Flaw("leak", f"still bills: {', '.join(played.left)}")
    elif played.left_after_grace:
        yield Flaw("leak", f"had to be reaped though it had a guard: {', '.join(played.left_after_grace)}")
    if played.overspent_s > GRACE_S + SLACK_S and not played.reaped:
        yield Flaw("overspend", f"{played.overspent_s:.0f} s over the cap")


def ending(played: Played, wanted: Expected) -> Iterator[Flaw]:
    """What concerns a run that ended: who says that all is well must have it all."""
    # A run that nobody was to resume has a small cap, which a busy machine may use up before the blow falls.
    if played.case.mild and played.case.resumed and played.code != wanted.code:
        yield Flaw("difference", f"exit code {played.code} instead of {wanted.code}")
    if played.code == wanted.code:
        wrong = sorted(path for path, digest in wanted.files.items() if played.files.get(path) != digest)
        if wrong:
            yield Flaw("difference", f"not as in an undisturbed run: {', '.join(wrong)}")
