"""The scripts that show the Python API, run as a user runs them, each on its own simulated cloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return open_workshop(tmp_path)


def test_a_job_made_in_python_gives_its_result(workshop: Workshop) -> None:
    done = workshop.rehearse("python3", "examples/api/job_in_python.py", "40")

    assert done.exit_code == 0
    assert "41" in done.output.splitlines()
    assert (done.ledger["pods_created"], done.ledger["pods_left"]) == (1, 0)


def test_a_job_made_in_python_fails_with_the_exit_code_of_the_tool(workshop: Workshop) -> None:
    done = workshop.rehearse("python3", "examples/api/job_in_python.py", "two")

    assert done.exit_code == 20
    assert "failed: sum-" in done.output and "the job exited with status 2" in done.output


def test_a_sweep_runs_all_seeds_and_tells_which_failed(workshop: Workshop) -> None:
    config = workshop.dir / "job.yaml"
    job = yaml.safe_load((workshop.dir / "examples/hello/hello.yaml").read_text())
    job |= {"name": "s{seed}", "variables": {"seed": "0"}, "lifecycle": {"on_failure": "delete"}}
    job["run"] |= {"body": "echo {seed} > {volume_mount}/greeting.txt; echo HELLO_DONE; exit {seed}"}
    config.write_text(yaml.safe_dump(job))

    done = workshop.rehearse("python3", "examples/api/sweep.py", "job.yaml", "2", "0", "7")

    lines = [line for line in done.output.splitlines() if line.startswith("seed=")]
    assert [line.split()[:3] for line in lines] == [
        ["seed=0", "succeeded", "exit=0"],
        ["seed=7", "job_failed", "exit=20"],
    ]
    assert done.exit_code == 1
    assert (Path(lines[0].split()[3]) / "greeting.txt").read_text() == "0\n"
    spent = workshop.run("python3", "examples/api/spend.py", ".").stdout
    assert "NVIDIA RTX A5000: 2 runs, $0.0" in spent and "0 of unknown cost" in spent


def test_what_can_be_rented_is_listed_with_its_price(workshop: Workshop) -> None:
    script = ("python3", "examples/api/what_to_rent.py", "examples/hello/hello.yaml")

    assert "EU-SE-1    NVIDIA RTX A5000         $0.27/hr" in workshop.rehearse(*script).output


def test_a_pod_that_a_run_left_can_be_looked_into_and_ended(workshop: Workshop) -> None:
    run = "runpod-deploy run --config examples/hello/hello.yaml --on-success preserve -q --print-run-dir"
    look = "python3 examples/api/look_inside.py $dir 'cat /workspace/greeting.txt; exit 3' --delete"
    done = workshop.rehearse("bash", "-c", f"dir=$({run} | sed s/^RUN_DIR=//); {look}")

    assert done.exit_code == 3
    assert "hello from pod " in done.output and " is gone" in done.output
    assert (done.ledger["pods_created"], done.ledger["pods_left"]) == (1, 0)


def test_old_pods_are_listed_and_only_deleted_when_asked(workshop: Workshop) -> None:
    run = "runpod-deploy run --config examples/hello/hello.yaml --on-success stop -q"
    script = "python3 examples/api/old_pods.py"
    done = workshop.rehearse("bash", "-c", f"{run}; {script} 1; {script} 0; {script} 0 --delete; {script} 0")

    assert done.exit_code == 0
    assert done.output.count("10 GB $0.07/day") == 2
    assert done.output.count(": would be deleted") == 1 and done.output.count(": deleted") == 1
    assert (done.ledger["pods_created"], done.ledger["pods_left"]) == (1, 0)


def test_a_result_says_which_commit_made_it(workshop: Workshop) -> None:
    (workshop.dir / "result.json").write_text('{"accuracy": 0.9}')
    start = "git init -q . && git checkout -qB main && git add . && git -c user.name=a -c user.email=b commit -qm c"
    workshop.run("bash", "-c", start)
    commit = workshop.run("git", "rev-parse", "HEAD").stdout.strip()

    first = workshop.run("python3", "examples/api/stamp.py", ".", "result.json")
    again = workshop.run("python3", "examples/api/stamp.py", ".", "result.json")

    made_with = json.loads((workshop.dir / "result.json").read_text())["made_with"]
    assert made_with["local_git_sha"] == commit and made_with["local_git_branch"] == "main"
    assert (first.returncode, again.returncode) == (0, 1), "the second time the result itself has changed"


def test_what_a_run_would_be_is_told_before_it_is_paid(workshop: Workshop) -> None:
    config = workshop.dir / "job.yaml"
    job = yaml.safe_load((workshop.dir / "examples/hello/hello.yaml").read_text())
    job |= {"name": "s{seed}", "variables": {"seed": "0"}, "local": {"required_paths": ["{seed}.txt"]}}
    config.write_text(yaml.safe_dump(job))
    (workshop.dir / "7.txt").touch()

    fine = workshop.run("python3", "examples/api/before_paying.py", "job.yaml", "seed=7")
    missing = workshop.run("python3", "examples/api/before_paying.py", "job.yaml")
    absent = workshop.run("python3", "examples/api/before_paying.py", "absent.yaml")

    assert (fine.returncode, missing.returncode, absent.returncode) == (0, 2, 2)
    assert fine.stdout.startswith("s7-20") and "greeting: /workspace/greeting.txt -> " in fine.stdout
    assert "0.txt" in missing.stdout and "no such file" in absent.stdout


def test_a_place_is_chosen_by_stock_and_price(workshop: Workshop) -> None:
    stock = [{"gpuId": "NVIDIA RTX A5000", "stockStatus": "Low"}, {"gpuId": "NVIDIA L40S", "stockStatus": "High"}]
    places = [{"id": "EU-SE-1", "gpuAvailability": stock[1:]}, {"id": "US-TX-3", "gpuAvailability": stock}]
    (workshop.dir / "places.json").write_text(json.dumps(places))
    script = "python3 examples/api/choose_place.py examples/hello/hello.yaml"

    done = workshop.rehearse("bash", "-c", f"{script} 0.50 < places.json && {script} 0.10 < places.json")

    assert "EU-SE-1: NVIDIA L40S: $0.79/hr is over the limit of $0.50/hr; next US-TX-3" in done.output
    assert "--gpu-id 'NVIDIA RTX A5000' --datacenter-id US-TX-3" in done.output
    assert done.exit_code == 3
