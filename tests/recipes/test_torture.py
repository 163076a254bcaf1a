"""The recipes that stand on an engine keep their promises when they are killed, doubled, and moved to another machine.

A few seeds only: `bench/sweeps.py` does the same with forty.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.recipes.torture import LITE, RECIPES, torture
from tests.support.postgres import postgres
from tests.support.workshop import REPOSITORY

SNAKEMAKE = REPOSITORY / ".venv" / "snakemake"
needs_engines = pytest.mark.skipif(
    not (find_spec("dbos") and find_spec("optuna")), reason="the engines are not installed: pip install -e '.[recipes]'"
)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of the kind that the test names."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield LITE
            return
        try:
            yield stack.enter_context(postgres())
        except LookupError as reason:
            pytest.skip(str(reason))


@needs_engines
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("recipe", "what", "database"),
    [
        ("durable-sqlite", "kill", "sqlite"),
        ("durable-postgres", "lost", "postgres"),
        ("optuna-sqlite", "kill", "sqlite"),
        ("optuna-postgres", "two", "postgres"),
    ],
    indirect=["database"],
)
def test_each_seed_is_finished_once(recipe: str, what: str, database: str) -> None:
    """Of three, seed 3 loses its first pod and needs another; that takes two minutes, so one recipe shows it."""
    seeds = 3 if recipe == "durable-sqlite" else 2
    found = torture(recipe, what, seeds=seeds, kills=1, db=database)
    assert found.broken(what, seeds=seeds) == [], found


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_snakemake_goes_on_after_a_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its packages are installed once, in a place of their own: they do not agree with those of the linters."""
    if not (SNAKEMAKE / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(SNAKEMAKE)], check=True)
        constraints = ["-c", str(REPOSITORY / "constraints.txt")]
        pip = [
            str(SNAKEMAKE / "bin/pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *constraints,
            "snakemake",
        ]
        if subprocess.run(pip, capture_output=True).returncode:
            pytest.skip("snakemake could not be installed: is a package index reachable?")
        (SNAKEMAKE / "ready").touch()
    monkeypatch.setenv("PATH", f"{SNAKEMAKE / 'bin'}{os.pathsep}{os.environ['PATH']}")
    found = torture("snakemake", "kill", seeds=2, kills=1)
    assert found.broken("kill", seeds=2) == [], found


RESERVE = """\
import sys, durable
from pathlib import Path
durable.options.sweep, durable.options.db = Path("tune"), sys.argv[1]
for number in range(20):
    with durable.open_ledger() as ledger:
        try: ledger.begin(f"{sys.argv[2]}{number}", 1.0, 10.0, 1)
        except durable.NoRoom as full: assert full.waits
        print(ledger.used_usd())
"""


@needs_engines
@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
def test_machines_that_reserve_at_the_same_time_cannot_pass_the_total(database: str, tmp_path: Path) -> None:
    """They even make the tables at the same time."""
    env = {**os.environ, "PYTHONPATH": f"{RECIPES / 'sweep-durable'}{os.pathsep}{RECIPES / 'sweep'}"}
    url = "" if database == LITE else database.replace("+psycopg", "")

    def reserve(machine: str) -> str:
        words = (sys.executable, "-c", RESERVE, url, machine)
        return subprocess.run(words, env=env, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    with ThreadPoolExecutor() as pool:
        assert {printed.split()[-1] for printed in pool.map(reserve, "abc")} == {"10.0"}
