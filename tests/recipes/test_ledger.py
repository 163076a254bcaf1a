"""The ledger of a sweep: what it reserves, what it asks for again, what it calls the end. No runs: their files only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ledger import MANIFEST, Ledger, NoRoom, checked, text_table

from tests.support.workshop import REPOSITORY

NOBODY = 2**22 + 1  # above the highest process id of Linux


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "sweep")


def begin(ledger: Ledger, seed: str, total_usd: float = 10.0) -> str:
    """A run under a cap of one dollar."""
    return ledger.begin(seed, 1.0, total_usd, os.getpid())


def end(ledger: Ledger, run_id: str, code: int, rows: str = "", **manifest: Any) -> str:
    """A run that has left its files ends with the code."""
    run_dir = ledger.folder / run_id
    run_dir.mkdir(exist_ok=True)
    content = {"exit_code": code, "estimated_cost_usd": 0.25, "failure": None, "outcome": "ended", **manifest}
    (run_dir / MANIFEST).write_text(json.dumps(content))
    (run_dir / "events.jsonl").write_text(rows)
    ledger.log_of(run_id).write_text(f"a warning\nRUN_DIR={run_dir}\nmore\n")
    return ledger.end(run_id, code)


def test_a_run_counts_with_its_cap_and_then_with_its_cost(ledger: Ledger) -> None:
    run_id = begin(ledger, "1")
    assert ledger.used_usd() == 1.0
    assert end(ledger, run_id, 0) == "done"
    assert ledger.used_usd() == 0.25


def test_the_total_counts_every_seed_that_the_folder_ever_had(ledger: Ledger) -> None:
    for seed in "12":
        end(ledger, begin(ledger, seed, 1.5), 0, estimated_cost_usd=0.5)
    with pytest.raises(NoRoom) as full:
        begin(ledger, "3", 1.5)
    assert not full.value.waits


def test_a_run_that_has_not_ended_is_asked_for_again_and_costs_nothing_more(ledger: Ledger) -> None:
    """As after a kill with the whole total reserved."""
    first = [begin(ledger, seed, 2.0) for seed in "12"]
    again = Ledger(ledger.folder)
    assert again.order("312") == ["1", "2", "3"]
    assert [begin(again, seed, 2.0) for seed in "12"] == first


@pytest.mark.parametrize(("driver", "waits"), [(os.getpid(), True), (NOBODY, False)], ids=["lives", "is gone"])
def test_only_a_living_driver_is_waited_for(ledger: Ledger, driver: int, waits: bool) -> None:
    ledger.begin("1", 1.0, 1.5, driver)
    with pytest.raises(NoRoom) as full:
        begin(ledger, "2", 1.5)
    assert full.value.waits is waits


@pytest.mark.parametrize("code", [8, 9, 137, 1])
def test_what_has_no_end_yet_keeps_its_id_and_its_cap(ledger: Ledger, code: int) -> None:
    """Held by another process; its pod may still cost money; killed; a defect: the run is not over."""
    run_id = begin(ledger, "1")
    word = end(ledger, run_id, code, exit_code=None if code in (1, 137) else code)
    assert word == ("halt" if code == 9 else "again")
    assert ledger.used_usd() == 1.0 and begin(ledger, "1") == run_id


@pytest.mark.parametrize(
    ("code", "word"), [(3, "again"), (22, "again"), (7, "failed"), (4, "halt"), (130, "interrupted")]
)
def test_another_try_has_another_id(ledger: Ledger, code: int, word: str) -> None:
    run_id = begin(ledger, "1")
    assert end(ledger, run_id, code) == word
    assert not ledger.has_result("1")
    assert begin(ledger, "1") == run_id.replace("-1.1", "-1.2")


@pytest.mark.parametrize("code", [0, 20, 21])
def test_a_result_is_not_paid_twice(ledger: Ledger, code: int) -> None:
    end(ledger, begin(ledger, "1"), code)
    assert ledger.has_result("1")


def test_a_run_that_somebody_ended_by_name_is_a_result(ledger: Ledger) -> None:
    ended = '{"event": "interrupted", "signal": "SIGINT", "release": "delete"}\n'
    assert end(ledger, begin(ledger, "1"), 130, ended) == "failed"
    assert ledger.has_result("1") and ledger.rows(["1"])[0]["reason"] == "stopped"


def test_a_request_that_was_refused_costs_nothing(ledger: Ledger) -> None:
    run_id = begin(ledger, "1")
    assert ledger.end(run_id, 2) == "failed"
    assert ledger.used_usd() == 0.0


def test_an_end_without_a_known_cost_counts_with_the_cap(ledger: Ledger) -> None:
    end(ledger, begin(ledger, "1"), 6, estimated_cost_usd=None)
    assert ledger.used_usd() == 1.0


def test_two_drivers_at_once_cannot_pass_the_total(ledger: Ledger) -> None:
    """Even where the file system has no locks for the folder: each looks and reserves in one step."""
    code = "import sys, os; from pathlib import Path; from ledger import Ledger, NoRoom\n" + (
        "book = Ledger(Path(sys.argv[1]))\nfor seed in range(20):\n"
        "    try: book.begin(f'{sys.argv[2]}{seed}', 1.0, 10.0, os.getpid())\n"
        "    except NoRoom: pass\n"
    )
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY / "recipes/sweep")}
    commands = [[sys.executable, "-c", code, str(ledger.folder), name] for name in "ab"]
    with ThreadPoolExecutor() as pool:
        assert [done.returncode for done in pool.map(lambda words: subprocess.run(words, env=env), commands)] == [0, 0]
    assert ledger.used_usd() == 10.0


def test_a_name_that_would_pass_the_longest_run_id_is_refused_before_it_costs(ledger: Ledger) -> None:
    assert checked(ledger, "seed-7") == "seed-7"
    with pytest.raises(ValueError, match="at most"):
        checked(ledger, "x" * 40)


def test_the_table_marks_the_best_of_those_that_succeeded(ledger: Ledger) -> None:
    for seed, code, loss in (("1", 0, 0.5), ("2", 0, 0.25), ("3", 20, 0.1)):
        end(ledger, begin(ledger, seed), code, metrics={"loss": loss})
    table = text_table(ledger, list("123"), "loss:min").splitlines()
    assert table[0].split() == ["SEED", "TRY", "EXIT", "REASON", "USD", "LOSS", "RUN_DIR"]
    assert [line.split()[4:6] for line in table[1:]] == [["0.25", "0.5"], ["0.25", "0.25*"], ["0.25", "0.1"]]
