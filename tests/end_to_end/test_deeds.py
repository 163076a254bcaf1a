"""Whole runs of jobs that do to their machine what jobs do."""

from __future__ import annotations

from pathlib import Path

from tests.support.harness import WORK, Simulator, job, run

BACKGROUND = (
    "mkdir -p /workspace/out\nnohup sh -c 'sleep 4; echo result >/workspace/out/result.txt' >/dev/null 2>&1 &\n"
)
REMOVES = (
    "for n in 1 2 3; do echo line $n; done; sleep 1\n"
    "pkill -f runs-wild; : >/workspace/job.log; rm -rf /workspace/.[!.]* /workspace/*\n"
    "sleep 4\n" + WORK + "pgrep -f guard.sh >/dev/null && echo guard lives\necho ALL_DONE\n"
)


def test_work_that_was_left_in_the_background_comes_home(sim: Simulator, tmp_path: Path) -> None:
    ended = run(sim, job(tmp_path / "p", body=BACKGROUND))
    assert ended.code == 0 and ended.run_dir, ended.err[-2000:]
    assert (ended.run_dir / "out/result.txt").read_text() == "result\n"
    assert "echo result" in str(ended.named("processes_left")[0]["processes"])


def test_a_job_that_removes_everything_of_ours_is_a_job_like_any_other(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=REMOVES, name="runs-wild", run={"success_marker": "ALL_DONE"})
    ended = run(sim, config)
    assert ended.code == 0 and ended.run_dir, ended.err[-2000:]
    assert (ended.run_dir / "run.log").read_text() == "line 1\nline 2\nline 3\nguard lives\nALL_DONE\n"
    assert (ended.run_dir / "out/result.txt").exists()
    assert ended.named("log_truncated") and ended.named("control_folder_lost")
    assert ended.manifest["job_exit_code"] == 0


def test_a_file_that_ends_the_shell_fails_the_job_by_its_name(sim: Simulator, tmp_path: Path) -> None:
    setup = [{"command": "echo 'exit 0' >/workspace/env.sh"}]
    config = job(tmp_path / "p", body=WORK, setup=setup, remote_env={"source_files": ["/workspace/env.sh"]})
    ended = run(sim, config)
    assert ended.code == 20, ended.err[-2000:]
    assert ended.manifest["failure"]["kind"] == "preamble_failed"
    assert "/workspace/env.sh ended its shell" in ended.manifest["failure"]["message"]
