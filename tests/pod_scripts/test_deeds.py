"""scripts/job.sh and follow.sh with jobs that leave processes, move their log, or never get to their first line."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pytest

from runpod_deploy.pod.job import FrameParser
from runpod_deploy.pod.protocol import Frame, JobEnd, Notice
from tests.pod_scripts.test_job import Job, log_of
from tests.support.shell_grounds import end_processes_of, eventually, script_folder, shell_or_skip


@pytest.fixture(params=["dash", "bash", "busybox"])
def job(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Job]:
    control = tmp_path / f"run {os.getpid()} {tmp_path.name}"
    script_folder(control / "bin-1")
    yield Job(control, shell_or_skip(request.param))
    end_processes_of(control)


def notices(frames: list[Frame]) -> list[str]:
    return [frame.word for frame in frames if isinstance(frame, Notice) and frame.word != "guard"]


def start(job: Job, body: str, *more: str) -> None:
    """The job with more arguments: background, marker, idle seconds."""
    script = str(job.control / "sub" / "script")
    argv = job.argv("start", str(job.control), str(job.log), script, job.tag, str(len(body.encode())), *more)
    assert subprocess.run(argv, input=body.encode(), capture_output=True).returncode == 0


def test_a_log_that_is_emptied_goes_on(job: Job) -> None:
    empty = f": >{quote(str(job.log))}"
    job.start(f"for n in 1 2 3 4 5 6; do echo line $n; done; sleep 1; {empty}; echo after; sleep 0.5; echo DONE")
    frames = job.followed()
    assert log_of(frames) == b"".join(b"line %d\n" % n for n in range(1, 7)) + b"after\nDONE\n"
    assert notices(frames) == ["truncated"]


@pytest.mark.parametrize(
    "deed",
    ["mv {log} {log}.1; touch {log}", "rm -rf {folder}; mkdir {folder}", "rm -rf {folder}"],
)
def test_a_log_without_its_path_goes_on_also_for_a_new_follower(job: Job, deed: str) -> None:
    deed = deed.replace("{log}", quote(str(job.log))).replace("{folder}", quote(str(job.log.parent)))
    ready, go = (job.control.parent / name for name in ("ready", "go"))
    wait = f"touch {ready}; until [ -e {go} ]; do sleep 0.1; done"
    job.start(f"echo before; {deed}; echo middle; {wait}; echo after")
    eventually(ready.exists)
    assert read_log(job) == b"before\nmiddle\n"
    with job.follower() as follower:
        go.touch()
        output, _ = follower.communicate()
    assert log_of(list(FrameParser().feed(output))) == b"before\nmiddle\nafter\n"
    assert log_of(job.followed()) == b"before\nmiddle\nafter\n", "and when the job is over"


def read_log(job: Job) -> bytes:
    """The log as `runpod-deploy logs` finds it."""
    path = subprocess.check_output(job.argv("log", str(job.control), str(job.log), job.tag), text=True).strip()
    return Path(path).read_bytes()


def test_a_control_folder_that_vanished_is_told_and_the_end_is_known(job: Job) -> None:
    job.start(f"sleep 1; rm -rf '{job.control}'; sleep 2; echo last; exit 3")
    frames = job.followed()
    assert notices(frames) == ["folder"]
    assert log_of(frames) == b"last\n"
    assert frames[-1] == JobEnd(3)


def test_a_control_folder_that_vanished_is_told_though_the_guard_writes_its_file_anew_at_once(job: Job) -> None:
    pid = f"'{job.control}/pid'"
    job.start(f'sleep 1; row=$(cat {pid}); rm -rf "{job.control}"; mkdir "{job.control}"; echo "$row" >{pid}; sleep 2')
    frames = job.followed()
    assert notices(frames) == ["folder"]
    assert frames[-1] == JobEnd(0)


def test_a_follower_that_comes_after_the_folder_vanished_finds_the_job(job: Job) -> None:
    job.start(f"rm -rf '{job.control}'; sleep 3; exit 4")
    eventually(lambda: not (job.control / "pid").exists())
    assert job.followed()[-1] == JobEnd(4)


def test_a_job_without_its_supervisor_goes_on(job: Job) -> None:
    job.start("echo begin; sleep 3; echo end")
    eventually(lambda: job.log.exists() and job.log.read_bytes() == b"begin\n")
    os.kill(job.pid, 9)
    frames = job.followed()
    assert log_of(frames).startswith(b"begin\nend\n"), "its script and their log go on"
    assert frames[-1] == JobEnd(137)


def test_work_in_the_background_is_waited_for(job: Job) -> None:
    begun = time.monotonic()
    job.start(f"nohup sh -c 'sleep 4; echo work >{job.control.parent}/result' >/dev/null 2>&1 & echo started")
    frames = job.followed()
    assert (job.control.parent / "result").exists() and time.monotonic() - begun > 3
    left = next(frame for frame in frames if isinstance(frame, Notice) and frame.word == "left")
    assert any("echo work" in line for line in left.lines)
    assert frames[-1] == JobEnd(0)


def test_what_is_busy_is_waited_for_and_what_is_idle_is_ended(job: Job) -> None:
    busy = "bash -c 'end=$((SECONDS + 6)); while [ $SECONDS -lt $end ]; do :; done; echo done' &"
    start(job, f"{busy} sleep 987 & echo started", "wait", "", "2")
    begun = time.monotonic()
    frames = job.followed()
    assert b"done" in log_of(frames)
    assert notices(frames) == ["left", "idle"] and 6 <= time.monotonic() - begun < 25
    idle = next(frame for frame in frames if isinstance(frame, Notice) and frame.word == "idle")
    assert [line.partition(" ")[2].strip() for line in idle.lines] == ["sleep 987"]
    assert frames[-1] == JobEnd(0)


@pytest.mark.parametrize(("mode", "end"), [("end", JobEnd(0)), ("fail", JobEnd(0, flaw="left_running"))])
def test_what_is_left_can_be_ended_or_be_a_failure(job: Job, mode: str, end: JobEnd) -> None:
    sleeper = f"sleep 86{os.getpid()}"
    start(job, f"{sleeper} & echo started", mode)
    frames = job.followed()
    assert notices(frames)[:1] == ["left"] and frames[-1] == end
    assert subprocess.run(["pgrep", "-f", f"^{sleeper}$"], capture_output=True).returncode == 1


def test_after_the_success_marker_nothing_else_matters(job: Job) -> None:
    start(job, "sleep 985 & echo ALL DONE", "wait", "ALL DONE")
    frames = job.followed()
    assert notices(frames) == [] and frames[-1] == JobEnd(0)


def test_a_script_that_ends_before_its_body_has_failed(job: Job) -> None:
    job.start("{ echo '/root/env.sh' >&6; }; exit 0\n{ echo body >&6; }; exec 6>&-\necho never")
    frames = job.followed()
    assert b"/root/env.sh ended its shell with exit code 0" in log_of(frames)
    assert frames[-1] == JobEnd(97, flaw="preamble_failed")


def test_a_second_follower_is_told_again(job: Job) -> None:
    start(job, "sleep 984 & echo started", "wait", "", "5")
    eventually((job.control / "left").exists)
    for _ in range(2):
        with job.follower() as follower:
            assert follower.stdout is not None
            seen: list[Frame] = []
            parser = FrameParser()
            while not any(isinstance(frame, Notice) and frame.word == "left" for frame in seen):
                seen += parser.feed(os.read(follower.stdout.fileno(), 4096))
            follower.kill()


def test_secrets_are_gone_when_the_job_has_ended(job: Job) -> None:
    secret, memory = job.control.parent / "secret.env", Path(f"/dev/shm/runpod-deploy.{os.getpid()}")
    memory.write_text("KEY='x'\n")
    secret.symlink_to(memory)
    (job.control / "guard").mkdir()
    (job.control / "guard/terms").write_text(f"deadline 1\nsecret {secret}\n")
    job.start(f"cat '{secret}'")
    frames = job.followed()
    assert log_of(frames) == b"KEY='x'\n"
    assert not secret.is_symlink() and not memory.exists()
