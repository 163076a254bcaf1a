"""Every loop of the sweep page runs all seeds, reports each correctly, keeps the caps, and leaves no pod."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.sweeps import DRIVERS, LOSE_THIS_POD, SKIP_TRAINING, TRAIN, Row, exit_codes, rows, write_config
from tests.support.workshop import Workshop, open_workshop

SEEDS = [str(seed) for seed in range(1, 13)]
FAILS, LOST = "5", ("2", "9")
FATES = f"""\
case {{run_id}} in
  *-{FAILS}.*) exit 3 ;;
  *-{LOST[0]}.1 | *-{LOST[1]}.1)
    {LOSE_THIS_POD} ;;
esac
"""
HELLO = "examples/hello/hello.yaml"
each_driver = pytest.mark.parametrize("driver", DRIVERS)
# make itself ends with 2, whatever ended its targets.
each_with_its_own_exit_code = pytest.mark.parametrize("driver", ["bash", "python"])


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop whose smallest job has a seed, too."""
    workshop = open_workshop(tmp_path)
    hello = workshop.dir / HELLO
    hello.write_text(hello.read_text().replace("  greeting: hello\n", '  greeting: hello\n  seed: "0"\n'))
    return workshop


@pytest.mark.parametrize(("driver", "seeds"), [("python", SEEDS), ("bash", SEEDS[:5]), ("make", SEEDS[:5])])
def test_many_seeds_three_at_a_time(workshop: Workshop, driver: str, seeds: list[str]) -> None:
    """One seed finally fails, and some lose their pod once."""
    write_config(workshop, FATES, TRAIN)
    sweep = workshop.rehearse("bash", "-c", DRIVERS[driver].call(seeds, AT_ONCE="3"))
    table = rows(sweep.output)
    assert exit_codes(table) == {seed: fate(seed) for seed in seeds}, sweep.output
    assert sweep.exit_code == DRIVERS[driver].failed
    tries = sum(len(fate(seed)) for seed in seeds)
    assert sweep.ledger["pods_created"] == tries and sweep.ledger["pods_left"] == 0
    for row in table:
        assert_true(row, sweep.ledger)
    # The cloud's own bill: the table tells no less, and the cap holds.
    assert 0.95 * sweep.ledger["billed_usd"] < sum(float(row.usd) for row in table) <= 600


def fate(seed: str) -> list[int]:
    """The exit codes of its tries."""
    return [20] if seed == FAILS else [22, 0] if seed in LOST else [0]


def assert_true(row: Row, ledger: dict[str, Any]) -> None:
    """The line agrees with the record of the run, with the cloud and with the results."""
    manifest = row.manifest()
    assert (manifest["variables"]["seed"], manifest["exit_code"]) == (row.seed, row.exit_code)
    assert float(row.usd) == manifest["estimated_cost_usd"] > 0
    assert row.reason in (manifest["outcome"], (manifest["failure"] or {}).get("kind"))
    assert [pod["how"] for pod in ledger["pods"] if pod["name"] == manifest["run_id"]] == [
        "died" if row.exit_code == 22 else "deleted"
    ]
    metrics_path = Path(row.run_dir, "../../../results", manifest["run_id"], "metrics.json")
    assert metrics_path.exists() is (row.exit_code == 0)
    if row.exit_code == 0:
        assert json.loads(metrics_path.read_text())["seed"] == int(row.seed)


# With job control, as at a prompt: there Ctrl-C goes to every process of the command that is in front.
AGAIN = """\
set -m
{call} & driver=$!
cd examples/digits && mkdir -p artifacts/runpod && cd artifacts/runpod || exit
until [ "$(grep -sl '"event": "job_launched"' */events.jsonl | wc -l)" -ge {jobs} ]; do sleep 0.2; done
cd ../../../.. && kill {signal} || exit
wait "$driver"; echo "first exit $?"; sleep 0.5; echo "@@@"
{call}
"""


@each_driver
def test_ctrl_c_reaches_every_run_once_and_the_sweep_can_go_on(workshop: Workshop, driver: str) -> None:
    """The first seed has ended, the other two have not, and nothing is paid twice."""
    write_config(workshop, "case {run_id} in *-[23].1) sleep 60 ;; esac", SKIP_TRAINING)
    call = DRIVERS[driver].call("123", AT_ONCE="2")
    sweep = workshop.rehearse("bash", "-c", AGAIN.format(call=call, jobs=3, signal='-INT -- "-$driver"'))
    first, again = sweep.output.split("@@@\n")
    assert exit_codes(rows(first)) == {"1": [0], "2": [130], "3": [130]}, sweep.output
    assert "first exit 130" in first
    assert exit_codes(rows(again)) == {"1": [0], "2": [130, 0], "3": [130, 0]}, sweep.output
    assert {row.manifest()["outcome"] for row in rows(again) if row.exit_code} == {"interrupted"}
    assert sweep.exit_code == 0
    assert sweep.ledger["pods_created"] == 5 and sweep.ledger["pods_left"] == 0


def test_make_passes_term_on_and_can_go_on(workshop: Workshop) -> None:
    """As a batch system ends a job: the signal reaches the one process that it has started."""
    write_config(workshop, "case {run_id} in *-[12].1) sleep 60 ;; esac", SKIP_TRAINING)
    call = DRIVERS["make"].call("123", AT_ONCE="2")
    sweep = workshop.rehearse("bash", "-c", AGAIN.format(call=call, jobs=2, signal='-TERM "$driver"'))
    first, again = sweep.output.split("@@@\n")
    assert exit_codes(rows(first)) == {"1": [130], "2": [130]}, sweep.output
    assert exit_codes(rows(again)) == {"1": [130, 0], "2": [130, 0], "3": [0]}, sweep.output
    assert sweep.ledger["pods_created"] == 5 and sweep.ledger["pods_left"] == 0


@each_driver
def test_a_second_driver_of_the_folder_is_told_who_has_it(workshop: Workshop, driver: str) -> None:
    """The seeds of the second are not run, and the first is not disturbed."""
    write_config(workshop, "sleep 3", SKIP_TRAINING)
    first, second = (DRIVERS[driver].call(seeds) for seeds in "12")
    meanwhile = f"{first} & sleep 2; {second}; echo second $?; wait $!"
    sweep = workshop.rehearse("bash", "-c", meanwhile)
    assert "logs is in use by process " in sweep.output
    assert f"second {2 if driver == 'make' else 8}" in sweep.output
    assert exit_codes(rows(sweep.output)) == {"1": [0]}
    assert sweep.exit_code == 0 and sweep.ledger["pods_created"] == 1


@each_driver
def test_no_seed_starts_after_so_many_failures(workshop: Workshop, driver: str) -> None:
    write_config(workshop, "exit 3")
    call = DRIVERS[driver].call("123", AT_ONCE="1", STOP_AFTER="1")
    sweep = workshop.rehearse("bash", "-c", call)
    assert exit_codes(rows(sweep.output)) == {"1": [20]}, sweep.output
    assert sweep.exit_code == DRIVERS[driver].failed


@each_driver
def test_runs_outlive_a_driver_that_is_killed_and_the_next_takes_them_over(workshop: Workshop, driver: str) -> None:
    """Of make, the processes between its shells are killed, too: the group that a prompt gave it."""
    kill = '-KILL -- "-$driver"' if driver == "make" else '-KILL "$driver"'
    write_config(workshop, "sleep 3", SKIP_TRAINING)
    call = DRIVERS[driver].call("12", AT_ONCE="2")
    sweep = workshop.rehearse("bash", "-c", AGAIN.format(call=call, jobs=2, signal=kill))
    first, again = sweep.output.split("@@@\n")
    assert "first exit 137" in first
    table = dict.fromkeys(rows(again))  # what the killed make had started may come to its own table
    assert exit_codes(table) == {"1": [0], "2": [0]}, sweep.output
    assert sweep.exit_code == 0
    assert sweep.ledger["pods_created"] == 2 and sweep.ledger["pods_left"] == 0


@each_driver
def test_nothing_starts_that_could_pass_the_total(workshop: Workshop, driver: str) -> None:
    call = DRIVERS[driver].call("12", HELLO, CAP_USD="1", TOTAL_CAP_USD="0.5")
    sweep = workshop.rehearse("bash", "-c", call)
    assert sweep.exit_code == DRIVERS[driver].failed
    assert sweep.ledger["pods_created"] == 0
    assert "seed 2: not started" in sweep.output


@each_driver
def test_runs_in_flight_count_with_their_caps(workshop: Workshop, driver: str) -> None:
    """The total cap has room for only one run at a time, so the runs go one after another."""
    sweep = workshop.rehearse("bash", "-c", DRIVERS[driver].call("12", HELLO, CAP_USD="1", TOTAL_CAP_USD="1.5"))
    assert sweep.exit_code == 0, sweep.output
    first, second = sorted(sweep.ledger["pods"], key=lambda pod: str(pod["created"]))
    assert first["ended"] <= second["created"]


@each_driver
def test_what_may_go_away_is_tried_again_but_not_for_ever(workshop: Workshop, driver: str) -> None:
    """No GPU is in stock, so each try ends with exit code 3."""
    call = DRIVERS[driver].call("1", HELLO, CAP_USD="1", ATTEMPTS="2")
    sweep = workshop.rehearse("bash", "-c", call, faults=[{"what": "no-stock"}])
    assert exit_codes(rows(sweep.output)) == {"1": [3, 3]}, sweep.output
    assert sweep.exit_code == DRIVERS[driver].failed
    assert sweep.ledger["pods_created"] == 0


@each_with_its_own_exit_code
def test_what_no_other_seed_would_survive_ends_the_sweep(workshop: Workshop, driver: str) -> None:
    call = DRIVERS[driver].call("123", HELLO, AT_ONCE="1")
    sweep = workshop.rehearse("bash", "-c", f"export RUNPOD_API_KEY=refused; {call}")
    assert exit_codes(rows(sweep.output)) == {"1": [4]}, sweep.output
    assert sweep.exit_code == 4
    assert "seed 2: not started" in sweep.output


def test_the_table_as_json(workshop: Workshop) -> None:
    call = DRIVERS["python"].call("1", HELLO, CAP_USD="1")
    sweep = workshop.rehearse("bash", "-c", f"{call} --json -- --var greeting=hi 2>/dev/null")
    [row] = json.loads(sweep.output)
    manifest = json.loads(Path(row.pop("run_dir"), "runpod_deploy_pull_manifest.json").read_text())
    usd = manifest["estimated_cost_usd"]
    assert row == {"seed": "1", "try": 1, "exit": 0, "reason": "succeeded", "usd": usd, "metrics": {}}
    assert manifest["variables"]["greeting"] == "hi"


@each_driver
def test_a_reader_that_goes_away_makes_no_run_fail(workshop: Workshop, driver: str) -> None:
    """`head` reads the first line and ends; a program that prints to it then gets an error or a signal."""
    call = DRIVERS[driver].call("12", HELLO, CAP_USD="1")
    sweep = workshop.rehearse("bash", "-c", f"{call} | head -n 1; echo @@@; {call}")
    assert exit_codes(rows(sweep.output.partition("@@@")[2])) == {"1": [0], "2": [0]}, sweep.output
    assert sweep.exit_code == 0
    assert sweep.ledger["pods_created"] == 2 and sweep.ledger["pods_left"] == 0


CURVE = """\
for step in 1 2 3 4 5 6; do
  echo '__RUNPOD_EVENT__ {"event": "epoch", "step": '$step', "loss": {seed}.5}'
  case {seed} in 9) sleep 5 ;; esac
done
"""


def test_a_run_that_is_worse_than_the_median_is_stopped_and_not_tried_again(workshop: Workshop) -> None:
    """Seed 9 is slow and bad. That it was stopped is its result: the same command pays nothing more."""
    write_config(workshop, CURVE, SKIP_TRAINING)
    call = DRIVERS["python"].call("1239", AT_ONCE="4") + " --metric loss:min"
    median = "until [ -e logs/ledger.db ]; do sleep 0.2; done; python3 recipes/sweep/median.py logs loss:min 2"
    sweep = workshop.rehearse("bash", "-c", f"{call} & {median}; wait; echo @@@; {call}")
    table = [line.split()[:6] for line in sweep.output.partition("@@@")[2].splitlines() if line[:1] in set("1239")]
    assert [row[:3] + row[5:] for row in table[:3]] == [
        ["1", "1", "0", "1.5*"],
        ["2", "1", "0", "2.5"],
        ["3", "1", "0", "3.5"],
    ], sweep.output
    assert table[3][:4] == ["9", "1", "130", "stopped"]
    assert sweep.ledger["pods_created"] == 4 and sweep.ledger["pods_left"] == 0


@pytest.mark.parametrize("driver", ["bash", "python"])
def test_a_seed_is_a_name_and_runs_once_however_often_it_is_named(workshop: Workshop, driver: str) -> None:
    odd = workshop.run("bash", "-c", DRIVERS[driver].call(["1", "a/b"], HELLO))
    assert odd.returncode == 2 and "letters, digits, dots" in odd.stdout
    sweep = workshop.rehearse("bash", "-c", DRIVERS[driver].call("111", HELLO, CAP_USD="1"))
    assert exit_codes(rows(sweep.output)) == {"1": [0]}, sweep.output


@pytest.mark.parametrize("script", ["parallel.sh CONFIG", "sequential.sh", "sweep.py"])
def test_a_call_that_makes_no_sense_is_told_the_usage(workshop: Workshop, script: str) -> None:
    done = workshop.run("bash", "-c", f"recipes/sweep/{script}")
    assert done.returncode == 2
    assert "usage: " in done.stdout


def test_a_bash_that_is_too_old_is_told_so(workshop: Workshop) -> None:
    script = workshop.dir / "recipes/sweep/parallel.sh"
    script.write_text(script.read_text().replace(">= 404", ">= 9904"))
    done = workshop.run(str(script), "job.yaml", "1")
    assert done.returncode == 2
    assert "needs bash 4.4" in done.stdout
