"""Runs taken up again: resumed, attached to, asked for twice, recycled."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.support.harness import WORK, Simulator, Tool, job, run

SLOW = WORK + "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.5; done\necho once >> /workspace/out/starts\n"
LASTING = SLOW + "sleep 10\n"
"""It still runs when somebody comes to it, also on a busy machine."""
LINES = "".join(f"line {i}\n" for i in range(1, 9))


def launched(row: dict[str, object]) -> bool:
    return row["event"] == "job_launched"


def test_killed_and_resumed_looks_as_if_nothing_had_happened(sim: Simulator, tmp_path: Path) -> None:
    tool = Tool(sim, "run", "--config", str(job(tmp_path / "p", body=SLOW)), "--print-run-dir")
    tool.await_event(launched)
    time.sleep(1.2)
    tool.signal(signal.SIGKILL)
    tool.process.communicate()
    run_dir = tool.run_dir
    assert run_dir is not None
    ended = Tool(sim, "resume", str(run_dir)).end()
    ended.run_dir = run_dir
    assert ended.code == 0, ended.err
    assert (run_dir / "run.log").read_text() == LINES
    assert (run_dir / "out/starts").read_text() == "once\n"
    assert ended.named("run_resumed") and ended.manifest["outcome"] == "succeeded"
    assert sim.ledger["pods_created"] == 1 and sim.ledger["pods_left"] == 0
    again = Tool(sim, "resume", str(run_dir), env={"RUNPOD_API_KEY": ""}).end()
    assert again.code == 0, "a finished run needs nobody's key"


def test_detached_and_attached(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=SLOW)
    left = run(sim, config, "--detach", "--leave-to-guard")
    assert left.code == 0 and "attach" in left.err and sim.ledger["pods_left"] == 1
    assert left.manifest["state"] == "detached" and left.manifest["failed"] is None
    assert left.run_dir
    ended = Tool(sim, "attach", str(left.run_dir)).end()
    assert ended.code == 0, ended.err
    assert (left.run_dir / "run.log").read_text() == LINES and sim.ledger["pods_left"] == 0


def test_a_detached_run_ends_by_itself(sim: Simulator, tmp_path: Path) -> None:
    left = run(sim, job(tmp_path / "p", body=LASTING), "--detach")
    assert left.code == 0 and "carries the run to its end" in left.err and left.run_dir
    reader = Tool(sim, "logs", str(left.run_dir))
    looker = Tool(sim, "attach", str(left.run_dir)).end()
    assert looker.code == 0 and "line 8" in looker.err and sim.ledger["pods_left"] == 0
    assert "line 8" in reader.end().out
    assert (left.run_dir / "run.log").read_text() == LINES


def test_ctrl_c_in_attach_leaves_the_run_to_a_process_in_the_background(sim: Simulator, tmp_path: Path) -> None:
    left = run(sim, job(tmp_path / "p", body=LASTING), "--detach", "--leave-to-guard")
    looker = Tool(sim, "attach", str(left.run_dir))
    assert looker.process.stderr and "carries it out" in looker.process.stderr.readline()
    looker.signal(signal.SIGINT)
    assert looker.end().code == 130 and sim.ledger["pods_left"] == 1
    assert Tool(sim, "attach", str(left.run_dir)).end().code == 0 and sim.ledger["pods_left"] == 0


@pytest.mark.parametrize("alive", [True, False])
def test_stop_ends_a_run_from_another_terminal(sim: Simulator, tmp_path: Path, alive: bool) -> None:
    how = ["--detach"] if alive else ["--detach", "--leave-to-guard"]
    left = run(sim, job(tmp_path / "p", body=LASTING), *how)
    assert left.run_dir
    stopped = Tool(sim, "stop", left.manifest["run_id"], "--keep").end()
    assert stopped.code == 0 and ("now ends it" in stopped.err) is alive, stopped.err
    assert (left.run_dir / "out/result.txt").exists()
    assert left.manifest["outcome"] == "interrupted" and left.manifest["pod_final_state"] == "EXITED"
    assert Tool(sim, "stop", left.manifest["run_id"], "--delete").end().code == 0 and sim.ledger["pods_left"] == 0


def test_attaching_to_a_run_that_somebody_carries_out_shows_it(sim: Simulator, tmp_path: Path) -> None:
    tool = Tool(sim, "run", "--config", str(job(tmp_path / "p", body=SLOW)), "--print-run-dir")
    tool.await_event(launched)
    looker = Tool(sim, "attach", str(tool.run_dir)).end()
    assert tool.end().code == looker.code == 0
    assert "line 8" in looker.err and "carries it out" in looker.err


def test_who_looks_on_takes_the_run_up_when_its_driver_dies(sim: Simulator, tmp_path: Path) -> None:
    tool = Tool(sim, "run", "--config", str(job(tmp_path / "p", body=SLOW)), "--print-run-dir")
    tool.await_event(launched)
    looker = Tool(sim, "attach", "--drive", str(tool.run_dir))
    assert looker.process.stderr and "carries it out" in looker.process.stderr.readline()
    tool.signal(signal.SIGKILL)
    tool.process.communicate()
    ended = looker.end()
    ended.run_dir = tool.run_dir
    assert ended.code == 0 and "the run continues here" in ended.err, ended.err
    assert ended.manifest["outcome"] == "succeeded" and sim.ledger["pods_left"] == 0
    assert (ended.run_dir / "run.log").read_text() == LINES  # type: ignore[operator]


def test_a_busy_run_is_exit_8(sim: Simulator, tmp_path: Path) -> None:
    tool = Tool(sim, "run", "--config", str(job(tmp_path / "p", body=SLOW)), "--print-run-dir")
    tool.await_event(launched)
    assert Tool(sim, "resume", str(tool.run_dir)).end().code == 8
    assert Tool(sim, "resume", str(tool.run_dir), "--wait", "60").end().code == 0
    assert tool.end().code == 0


def test_a_run_id_is_one_run_whoever_asks(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=SLOW)
    both = [
        Tool(sim, "run", "--config", str(config), "--print-run-dir", "--run-id", "seed-7", "--wait", "60")
        for _ in range(2)
    ]
    ended = [tool.end() for tool in both]
    assert [e.code for e in ended] == [0, 0], [e.err for e in ended]
    assert ended[0].run_dir == ended[1].run_dir and ended[0].manifest["run_id"] == "seed-7"
    third = run(sim, job(tmp_path / "p", body="echo other"), "--run-id", "seed-7")
    assert "was started with another config" in third.err and "another config" not in ended[0].err + ended[1].err
    assert third.code == 0 and sim.ledger["pods_created"] == 1 and sim.ledger["pods_left"] == 0
    assert (ended[0].run_dir / "out/starts").read_text() == "once\n"  # type: ignore[operator]


def test_pull_brings_what_is_there_and_ends_nothing(sim: Simulator, tmp_path: Path) -> None:
    left = run(sim, job(tmp_path / "p", body=SLOW), "--detach", "--leave-to-guard")
    time.sleep(1)
    assert left.run_dir and Tool(sim, "pull", str(left.run_dir)).end().code == 0
    assert (left.run_dir / "out/result.txt").read_text() == "result\n" and sim.ledger["pods_left"] == 1
    assert Tool(sim, "resume", str(left.run_dir)).end().code == 0


def test_a_run_folder_that_somebody_sent_is_not_obeyed(sim: Simulator, tmp_path: Path) -> None:
    left = run(sim, job(tmp_path / "p", body=SLOW), "--detach", "--leave-to-guard")
    assert left.run_dir
    received = tmp_path / "received" / left.run_dir.name
    shutil.copytree(left.run_dir, received)
    before = files_below(tmp_path)
    for command in ("pull", "attach", "resume"):
        refused = Tool(sim, command, str(received), env={"HOME": str(tmp_path / "me")}).end()
        assert refused.code == 2 and "add --trust" in refused.err, refused.err
    assert files_below(tmp_path) == before and sim.ledger["pods_left"] == 1
    assert Tool(sim, "pull", str(received), "--trust", env={"HOME": str(tmp_path / "me")}).end().code == 0
    assert Tool(sim, "resume", str(left.run_dir)).end().code == 0


def test_a_run_needs_no_trust_for_itself_where_nothing_can_be_remembered(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = {"XDG_STATE_HOME": str(tmp_path / "file")}
    config = job(tmp_path / "p", body=SLOW)
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir", "--run-id", "seed-8", env=env)
    tool.await_event(launched)
    assert Tool(sim, "resume", str(tool.run_dir), env=env).end().code == 8
    assert Tool(sim, "attach", str(tool.run_dir), env=env).end().code == tool.end().code == 0


def files_below(folder: Path) -> set[Path]:
    """The files there, without the marks of who holds a run."""
    return {path for path in folder.rglob("*") if not path.name.startswith(".lock")}


def recycling(folder: Path, **sections: object) -> Path:
    return job(
        folder,
        body="echo again >> /workspace/kept\nmkdir -p /workspace/out\ncp /workspace/kept /workspace/out/",
        lifecycle={"on_success": "recycle"},
        state_file=str(folder / "pod.json"),
        **sections,
    )


def test_a_recycled_pod_keeps_its_volume(sim: Simulator, tmp_path: Path) -> None:
    config = recycling(tmp_path / "p")
    first, second = run(sim, config), run(sim, config)
    assert (first.code, second.code) == (0, 0), second.err
    assert second.run_dir and (second.run_dir / "out/kept").read_text() == "again\nagain\n"
    assert second.manifest["pod_resumed"] is True and sim.ledger["pods_created"] == 1
    assert [pod["status"] for pod in sim.ledger["pods"]] == ["EXITED"]


def test_a_recycled_pod_whose_host_is_full_gives_way_to_a_fresh_one(sim: Simulator, tmp_path: Path) -> None:
    config = recycling(tmp_path / "p")
    assert run(sim, config).code == 0
    sim.fault(where="POST /v2/pods/{id}/action", what="host-full", times=0)
    second = run(sim, config)
    assert second.code == 0, second.err
    assert sim.ledger["pods_created"] == 2 and sim.ledger["pods_left"] == 1, "the old one is deleted"


def test_a_recycled_pod_that_is_not_wanted_any_more_is_deleted(sim: Simulator, tmp_path: Path) -> None:
    assert run(sim, recycling(tmp_path / "p")).code == 0
    second = run(sim, recycling(tmp_path / "p", pod={"container_disk_gb": 33}))
    assert second.code == 0, second.err
    assert "container disk 20" in second.err and sim.ledger["pods_left"] == 1
