"""The result as text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .judge import KINDS, Flaw
from .play import GRACE_S, SLACK_S, Played

Judged = tuple[Played, list[Flaw]]


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """One line a number."""
    kinds = Counter(flaw.kind for _, found in judged for flaw in found)
    played = [one for one, _ in judged]
    kills = [row for one in played for row in one.killed_after]
    never = sum(one.code is None and not one.hung for one in played)
    yield f"{'cases':16} {len(played)}"
    yield f"{'kills':16} {len(kills)}, at {len(set(kills))} different places"
    yield f"{'resumed':16} {len(played) - never}"
    yield f"{'never resumed':16} {never}"
    yield f"{'reaped':16} {sum(one.reaped for one in played)}, of which no guard could know"
    for kind in KINDS:
        yield f"{kind + 's':16} {kinds[kind]}"
    worst = max((one.overspent_s for one in played if not one.reaped), default=0.0)
    allowed = f"{GRACE_S} s, and {SLACK_S} s more for ignored deletions and a busy machine"
    yield f"{'worst overspend':16} {worst:.1f} s (allowed: {allowed})"


def complaints(judged: Iterable[Judged], verbose: bool) -> Iterator[str]:
    """A few lines for each case that broke a promise."""
    for played, found in judged:
        if found:
            yield line(played, found)
            yield f"    killed after: {'; '.join(played.killed_after) or 'never'}"
            if verbose:
                yield from (f"    | {text}" for text in played.words.splitlines()[-12:])


def line(played: Played, found: Sequence[Flaw]) -> str:
    """The case on a line."""
    word = "; ".join(f"{flaw.kind.upper()}: {flaw.words}" for flaw in found) or "ok"
    late = f" ({played.overspent_s:.0f} s over the cap)" if played.overspent_s else ""
    return f"case {played.case.number}: {played.case}: {word}{late}"
