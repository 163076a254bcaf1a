"""The result as text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .guards import GRACE_S, SLACK_S
from .judge import VIOLATIONS, Violation
from .outcome import Outcome

Judged = tuple[Outcome, list[Violation]]


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """The totals, one a line."""
    kinds = Counter(violation.kind for _, found in judged for violation in found)
    outcomes = [outcome for outcome, _ in judged]
    kills = [row for outcome in outcomes for row in outcome.killed_after]
    never = sum(outcome.code is None and not outcome.hung for outcome in outcomes)
    yield f"{'cases':16} {len(outcomes)}"
    yield f"{'kills':16} {len(kills)}, at {len(set(kills))} different places"
    yield f"{'resumed':16} {len(outcomes) - never}"
    yield f"{'never resumed':16} {never}"
    yield f"{'reaped':16} {sum(outcome.reaped for outcome in outcomes)} (by audit: pods without a working guard)"
    for kind in VIOLATIONS:
        yield f"{kind + 's':16} {kinds[kind]}"
    worst = max((outcome.overspent_s for outcome in outcomes if not outcome.reaped), default=0.0)
    allowed = f"{GRACE_S} s, and {SLACK_S} s more for ignored deletions and a busy machine"
    yield f"{'worst overspend':16} {worst:.1f} s (allowed: {allowed})"


def details(judged: Iterable[Judged], verbose: bool) -> Iterator[str]:
    """A few lines for each case that broke a promise."""
    for outcome, found in judged:
        if found:
            yield line(outcome, found)
            yield f"    killed after: {'; '.join(outcome.killed_after) or 'never'}"
            if verbose:
                yield from (f"    | {text}" for text in outcome.stderr.splitlines()[-12:])


def line(outcome: Outcome, found: Sequence[Violation]) -> str:
    """The case on a line."""
    result = "; ".join(f"{violation.kind.upper()}: {violation.message}" for violation in found) or "ok"
    late = f" ({outcome.overspent_s:.0f} s over the cap)" if outcome.overspent_s else ""
    return f"case {outcome.case.number}: {outcome.case}: {result}{late}"
