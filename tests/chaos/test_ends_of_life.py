"""Runs that lose their terminal, their shell, their laptop or their machine."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.support.harness import TOOL, WORK, Ended, Simulator, Tool, job, run
from tests.support.shell_grounds import eventually

LINES = [f"line {n}\n" for n in range(1, 31)]
SLOW = WORK + "for n in $(seq 30); do echo line $n; sleep 0.1; done\n"
DELETE = {"on_failure": "delete", "on_success": "delete"}


def begun(sim: Simulator, folder: Path, event: str = "job_launched", **sections: object) -> Tool:
    """A run whose journal has reached that event."""
    config = job(folder, **{"body": SLOW, "lifecycle": DELETE, **sections})  # type: ignore[arg-type]
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == event)
    return tool


def resumed(sim: Simulator, run_dir: Path, *words: str, **env: str) -> Ended:
    """The result of a resume of that folder."""
    ended = Tool(sim, "resume", str(run_dir), *words, env=env).end()
    ended.run_dir = run_dir
    return ended


def whole(ended: Ended, sim: Simulator) -> None:
    """The result is that of an undisturbed run."""
    assert ended.code == 0, ended.err
    assert ended.run_dir and (ended.run_dir / "run.log").read_text() == "".join(LINES)
    assert (ended.run_dir / "out/result.txt").read_text() == "result\n"
    assert ended.manifest["outcome"] == "succeeded" and ended.manifest["failed"] is False
    ledger = sim.ledger
    assert ledger["pods_created"] == 1 and ledger["pods_left"] == 0


def killed(tool: Tool) -> Path:
    """The folder of a run whose process was killed."""
    tool.signal(signal.SIGKILL)
    tool.process.communicate()
    assert tool.run_dir
    return tool.run_dir


def eventually_holds(path: Path, text: str) -> None:
    """The file holds the text."""
    deadline = time.monotonic() + 30
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.02)


def test_a_hangup_ends_the_run_in_order(sim: Simulator, tmp_path: Path) -> None:
    tool = begun(sim, tmp_path / "p")
    tool.signal(signal.SIGHUP)
    ended = tool.end()
    assert ended.code == 130 and ended.manifest["outcome"] == "interrupted", ended.err
    assert ended.named("interrupted")[0]["signal"] == "SIGHUP" and sim.ledger["pods_left"] == 0


def test_a_closed_terminal_ends_the_run_in_order(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=SLOW, lifecycle=DELETE)
    ours, its = os.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(its, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [TOOL, "run", "--config", str(config)],
        env=sim.env,
        stdin=its,
        stdout=its,
        stderr=its,
        preexec_fn=take_terminal,
    )
    os.close(its)
    shown = b""
    while b"line 3\r" not in shown:
        shown += os.read(ours, 4096)
    os.close(ours)
    assert process.wait(300) == 130
    run_dir = next((tmp_path / "p/artifacts/runpod").glob("[!.]*"))
    assert Ended(130, "", "", run_dir).manifest["outcome"] == "interrupted"
    assert sim.ledger["pods_left"] == 0


def test_a_killed_shell_leaves_a_run_that_goes_on_to_its_end(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=SLOW, lifecycle=DELETE)
    shell = subprocess.Popen(
        ["sh", "-c", f"'{TOOL}' run --config '{config}' | cat; :"],
        env=sim.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert shell.stderr and shell.stdout
    for line in shell.stderr:
        if b"line 3" in line:
            break
    shell.kill()
    shell.stderr.close()
    shell.stdout.close()
    shell.wait()
    run_dir = next((tmp_path / "p/artifacts/runpod").glob("[!.]*"))
    deadline = time.monotonic() + 40
    while '"run_finished"' not in (run_dir / "events.jsonl").read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    whole(Ended(0, "", "", run_dir), sim)


def test_a_failed_run_says_so_by_its_exit_code_though_nobody_reads_its_words(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body="sleep 1; exit 3", lifecycle=DELETE)
    process = subprocess.Popen([TOOL, "run", "--config", str(config)], env=sim.env, stderr=subprocess.PIPE)
    assert process.stderr
    process.stderr.readline()
    process.stderr.close()
    assert process.wait(300) == 20 and sim.ledger["pods_left"] == 0


def test_a_run_whose_caller_left_before_its_first_word_is_run_all_the_same(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=WORK, lifecycle=DELETE)
    ours, its = os.pipe()
    os.close(ours)
    words = [TOOL, "run", "--config", str(config), "--print-run-dir"]
    assert subprocess.run(words, env=sim.env, stdout=its, stderr=its).returncode == 0
    os.close(its)
    assert sim.ledger["pods_created"] == 1 and sim.ledger["pods_left"] == 0


@pytest.mark.parametrize("event", ["pod_created", "job_launched"])
def test_a_laptop_that_slept_through_a_timeout_finds_a_success(sim: Simulator, tmp_path: Path, event: str) -> None:
    limits = {"ssh_ready_timeout_sec": 6, "ssh_lost_timeout_sec": 3}
    tool = begun(sim, tmp_path / "p", event, budget=limits)
    tool.signal(signal.SIGSTOP)
    time.sleep(8.0)
    for pod in sim.ledger["pods"]:
        sim.control("POST", f"pods/{pod['id']}/drop-ssh")
    tool.signal(signal.SIGCONT)
    whole(tool.end(), sim)


def test_two_resumes_at_once_are_one(sim: Simulator, tmp_path: Path) -> None:
    run_dir = killed(begun(sim, tmp_path / "p"))
    both = [Tool(sim, "resume", str(run_dir)) for _ in range(2)]
    ended = sorted((tool.end() for tool in both), key=lambda one: one.code)
    ended[0].run_dir = run_dir
    whole(ended[0], sim)
    assert ended[1].code != 0 and "another process holds this run" in ended[1].err and "hint: " in ended[1].err
    assert len(ended[0].named("job_launched")) == 1


def test_a_second_resume_can_wait_for_the_first(sim: Simulator, tmp_path: Path) -> None:
    run_dir = killed(begun(sim, tmp_path / "p"))
    first = Tool(sim, "resume", str(run_dir))
    time.sleep(0.5)
    assert resumed(sim, run_dir, "--wait", "60").code == 0
    whole(Ended(first.end().code, "", "", run_dir), sim)


def test_a_copy_of_the_run_folder_is_enough_to_go_on_elsewhere(sim: Simulator, tmp_path: Path) -> None:
    run_dir = killed(begun(sim, tmp_path / "p", artifacts=[]))
    elsewhere = tmp_path / "elsewhere" / run_dir.name
    shutil.copytree(run_dir, elsewhere)
    shutil.rmtree(tmp_path / "p")
    unknown = resumed(sim, elsewhere, HOME=str(tmp_path / "elsewhere"))
    assert unknown.code == 2 and "add --trust" in unknown.err and sim.ledger["pods_left"] == 1
    ended = resumed(sim, elsewhere, "--trust", HOME=str(tmp_path / "elsewhere"))
    assert ended.code == 0, ended.err
    assert (elsewhere / "run.log").read_text() == "".join(LINES) and sim.ledger["pods_left"] == 0


def test_a_finished_run_is_its_exit_code_and_no_call(sim: Simulator, tmp_path: Path) -> None:
    ended = run(sim, job(tmp_path / "p", body="exit 7", lifecycle=DELETE))
    assert ended.run_dir
    asked, rows = sim.ledger["requests"], len(ended.events)
    again = resumed(sim, ended.run_dir)
    assert (again.code, len(again.events)) == (ended.code, rows) == (20, rows)
    assert sim.ledger["requests"] == asked
    assert resumed(sim, ended.run_dir, RUNPOD_API_BASE_URL="http://127.0.0.1:9").code == 20


def test_a_run_that_its_guard_ended_is_one_that_a_limit_stopped(sim: Simulator, tmp_path: Path) -> None:
    """Nobody came back in time: the guard paused the pod; who comes later learns what happened, and where it lies."""
    pod = {"gpu_order": ["SIM 3600"]}
    limits = {"cost_cap_usd": 10.0, "pull_grace_sec": 2, "assumed_hourly_rate_usd": 3600.0}
    body = WORK + "sleep 600"
    tool = begun(sim, tmp_path / "p", body=body, pod=pod, budget=limits, lifecycle={"on_failure": "stop"})
    run_dir = killed(tool)
    eventually(lambda: sim.ledger["pods"][0]["status"] == "EXITED")
    ended = resumed(sim, run_dir)
    assert ended.code == 21 and ended.manifest["outcome"] == "stopped", ended.err
    assert ended.manifest["failure"]["kind"] == "cost_cap" and ended.manifest["pod_final_state"] == "EXITED"
    assert [row["state"] for row in ended.named("guard_released")] == ["EXITED"]
    assert "the pod's guard ended it" in ended.err and "pull --start" in ended.err
    spent = ended.manifest["estimated_cost_usd"]
    fetched = Tool(sim, "pull", "--start", str(run_dir)).end()
    assert fetched.code == 0, fetched.err
    assert (run_dir / "out/result.txt").read_text() == "result\n"
    assert [pod["status"] for pod in sim.ledger["pods"]] == ["EXITED"]
    assert ended.manifest["outcome"] == "stopped" and ended.manifest["estimated_cost_usd"] > spent


def test_a_job_killed_at_a_third_looks_as_if_nothing_had_happened(sim: Simulator, tmp_path: Path) -> None:
    """A user's view: the tool dies, the job ends alone, the final line is that of any run."""
    undisturbed = run(sim, job(tmp_path / "q", body=SLOW, lifecycle=DELETE))
    tool = begun(sim, tmp_path / "p")
    assert tool.run_dir
    eventually_holds(tool.run_dir / "run.log", LINES[9])
    run_dir = killed(tool)
    time.sleep(4.0)
    ended = resumed(sim, run_dir)
    assert ended.code == 0, ended.err
    assert (run_dir / "run.log").read_text() == "".join(LINES)
    last_words = [re.sub(r"^\[.*?\] |\S+/artifacts/\S+", "", one.err.splitlines()[-1]) for one in (undisturbed, ended)]
    assert last_words[0] == last_words[1]
    after = [row["after"] for row in ended.named("run_resumed")]
    assert after and [each["after"] for each in ended.manifest["resumptions"]] == after
