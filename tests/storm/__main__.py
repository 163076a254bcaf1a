"""`python -m tests.storm`: many histories, several at once; a history that breaks an invariant is shrunk and shown."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tests.storm.history import History, from_json
from tests.storm.seeds import KINDS, history_of, stranger
from tests.storm.shrink import shrunk
from tests.storm.storm import Result, play

CHUNK = 25
Make = Callable[[int], History]


def main() -> int:
    """The exit code: 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("-n", type=int, default=3000, help="how many seeds")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    parser.add_argument("--findings", type=Path, default=Path("storm-findings"), help="folder for what was found")
    parser.add_argument("--most", type=int, default=1, help="shrink so many findings of each invariant")
    parser.add_argument("--replay", type=Path, help="play the history in this file, and show what happens")
    parser.add_argument("--first", action="store_true", help="stop at the first finding, and only name it")
    parser.add_argument("--without", default="", help="kinds of faults to leave out, with commas between")
    parser.add_argument("--stranger", action="store_true", help="with prices, locks, twins and more beside the faults")
    given = parser.parse_args()
    if given.replay:
        return replay(from_json(given.replay.read_text()))
    return storm(given)


def replay(history: object) -> int:
    """The exit code, after one history was played and shown."""
    result = play(history)  # type: ignore[arg-type]
    print("\n".join(result.script()))
    return int(result.violation is not None)


def storm(given: argparse.Namespace) -> int:
    """The exit code, after all seeds were played."""
    begun, counts = time.monotonic(), Counter[str]()
    seeds, kinds = range(given.seed, given.seed + given.n), frozenset(KINDS) - set(given.without.split(","))
    shown: Counter[str] = Counter()
    make = partial(history_for, kinds=kinds, strange=given.stranger)
    for seed, name in broken(seeds, make, given.jobs):
        counts[name] += 1
        if given.first:
            print(f"seed {seed} breaks the invariant {name!r}")
            return 1
        if shown[name] < given.most:
            shown[name] += 1
            show(seed, make, given.findings)
    lasted_s = time.monotonic() - begun
    print(f"{given.n} histories, {given.n / lasted_s:.0f} a second; violations: {dict(counts) or 'none'}")
    return int(bool(counts))


def history_for(seed: int, kinds: frozenset[str], strange: bool) -> History:
    """The history of the seed, as the command was asked for it."""
    history = history_of(seed, kinds)
    return stranger(history) if strange else history


def broken(seeds: Iterable[int], make: Make, jobs: int) -> Iterable[tuple[int, str]]:
    """The seeds whose histories break an invariant, and its name."""
    if jobs <= 1:
        yield from filter(None, map(partial(verdict, make=make), seeds))
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from filter(None, pool.imap(partial(verdict, make=make), seeds, CHUNK))


def verdict(seed: int, make: Make) -> tuple[int, str] | None:
    """The seed and the name of the invariant that its history breaks; None if it breaks none."""
    try:
        result = play(make(seed))
    except Exception as error:
        return seed, f"harness: {type(error).__name__}: {error}"
    return (seed, result.violation.name) if result.violation else None


def show(seed: int, make: Make, folder: Path) -> Result | None:
    """The shrunk history of the seed, on stdout and in the folder."""
    try:
        result = shrunk(make(seed))
    except Exception as error:
        print(f"seed {seed}: {type(error).__name__}: {error}")
        return None
    name = result.violation.name.replace(" ", "-") if result.violation else "none"
    print("\n".join(["", *result.script()]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-{seed}.json").write_text(result.history.to_json())
    (folder / f"{name}-{seed}.txt").write_text("\n".join(result.script()) + "\n")
    sys.stdout.flush()
    return result


if __name__ == "__main__":
    raise SystemExit(main())
