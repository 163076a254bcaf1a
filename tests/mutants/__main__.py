"""`python -m tests.mutants`: small changes to the core's decisions, of which the tests must catch nearly all.

A sample by seed of what the operators of cosmic-ray can change in the modules that decide over money and pods. Each
mutant is written into a copy of the product, and the fast tests run against it: unit tests, a storm, whole runs in
memory. What survives is shown as a difference.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from random import Random

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).parents[2]
SOURCE = Path("src", "runpod_deploy")
SHM = Path("/dev/shm")
MODULES = (
    *("money.py", "record/fold.py", "record/fold_pod.py", "record/state.py", "record/verdict.py"),
    *("phases/provision.py", "phases/late.py", "phases/release.py", "phases/collect.py", "phases/connect.py"),
    *("phases/paused.py", "phases/reconnect.py", "cloud/removal.py", "cloud/stock.py", "cloud/stale.py"),
    *("cloud/selection.py", "cloud/pod_labels.py", "cloud/runpod/refusals.py", "history/audit.py"),
)
OPERATORS = (
    *("AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ZeroIterationForLoop", "ExceptionReplacer", "ReplaceUnaryOperator_Delete_Not"),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_GtE", "Gt_LtE")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul")),
)
STAGES = (
    ("-m", "pytest", "-x", "-q", "-n", "0", "tests/unit/test_money.py", "tests/unit/record", "tests/unit/cloud"),
    ("-m", "pytest", "-x", "-q", "-n", "0", "tests/unit/history/test_audit.py"),
    ("-m", "tests.storm", "-n", "150", "--jobs", "1", "--first"),
    ("-m", "pytest", "-x", "-q", "-n", "0", "tests/lifecycle"),
    ("-m", "tests.storm", "-n", "1500", "--jobs", "1", "--first", "--seed", "1000"),
)
STAGE_WITHIN_S = 900


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the nth place in a module at which an operator applies."""

    module: str
    operator: str
    nth: int


class UnsoundError(Exception):
    """The tests fail on the product as it is, so that they say nothing about mutants."""


def main() -> int:
    """The exit code: 1 if more mutants survive than may."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-n", type=int, default=40, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the module's name")
    parser.add_argument("--caught", type=float, default=0.9, help="the share that must be caught")
    parser.add_argument("--without", default="", help="kinds of faults that storms leave out")
    given = parser.parse_args()
    every = [mutant for module in MODULES if given.only in module for mutant in mutants_of(module)]
    sample = Random(given.seed).sample(every, min(given.n, len(every)))
    try:
        survivors = [mutant for mutant, caught in tried(sample, given) if not caught]
    except UnsoundError as error:
        print(f"the tests fail without any change: {error}")
        return 2
    share = 1 - len(survivors) / len(sample)
    print(f"{len(sample)} of {len(every)} mutants: {share:.0%} caught; survivors: {len(survivors)}")
    return int(share < given.caught)


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of the module."""
    nodes = list(ast_nodes(parso.parse((ROOT / SOURCE / module).read_text())))
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        count = sum(len(list(operator.mutation_positions(node))) for node in nodes)
        yield from (Mutant(module, name, nth) for nth in range(count))


def tried(sample: list[Mutant], given: argparse.Namespace) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether the tests caught it; survivors are shown."""
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=SHM if SHM.is_dir() else None) as folder:
        places: Queue[Path] = Queue()
        for number in range(given.jobs):
            places.put(copied(Path(folder, str(number))))
        for stage in STAGES:
            if fails(stage, Path(folder, "0"), given.without):
                raise UnsoundError(name_of(stage))

        def attempt(mutant: Mutant) -> str:
            place = places.get()
            try:
                return caught_by(mutant, place, given.without)
            finally:
                places.put(place)

        with ThreadPoolExecutor(given.jobs) as pool:
            for mutant, caught in zip(sample, pool.map(attempt, sample), strict=True):
                print(f"{mutant.module} {mutant.operator} {mutant.nth}: {caught or 'SURVIVED'}", flush=True)
                if not caught:
                    print("".join(difference(mutant)), flush=True)
                yield mutant, bool(caught)


def copied(place: Path) -> Path:
    """The folder with a copy of the product and its tests."""
    hidden = shutil.ignore_patterns("__pycache__")
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, place / name, ignore=hidden)
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def caught_by(mutant: Mutant, place: Path, without: str) -> str:
    """The stage of the tests that fails on the mutant; empty if none does."""
    path = place / SOURCE / mutant.module
    original = path.read_text()
    path.write_text(mutated(mutant))
    try:
        return next((name_of(stage) for stage in STAGES if fails(stage, place, without)), "")
    finally:
        path.write_text(original)


def name_of(stage: tuple[str, ...]) -> str:
    """The stage in a word."""
    return "storm" if "tests.storm" in stage else " ".join(part for part in stage if part.startswith("tests/"))


def fails(stage: tuple[str, ...], place: Path, without: str) -> bool:
    """Whether the tests of this stage fail there, or do not end."""
    more = ("--without", without) if "tests.storm" in stage else ()
    env = {**os.environ, "PYTHONPATH": f"{place}/src:{place}", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(
            (sys.executable, *stage, *more), cwd=place, env=env, capture_output=True, timeout=STAGE_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        return True
    return ran.returncode != 0


def mutated(mutant: Mutant) -> str:
    """The module's text with the change."""
    operator = get_operator(f"core/{mutant.operator}")()
    text = mutate_code((ROOT / SOURCE / mutant.module).read_text(), operator, mutant.nth)
    assert isinstance(text, str)
    return text


def difference(mutant: Mutant) -> Iterator[str]:
    """The lines that the mutant changes."""
    original = (ROOT / SOURCE / mutant.module).read_text()
    before, after = original.splitlines(keepends=True), mutated(mutant).splitlines(keepends=True)
    return difflib.unified_diff(before, after, mutant.module, mutant.module, n=1)


if __name__ == "__main__":
    raise SystemExit(main())
