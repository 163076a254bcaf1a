"""scripts/job.sh: a job is started once, followed from any byte, and stopped with all of its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runpod_deploy.pod import scripts
from runpod_deploy.pod.job import FrameParser
from runpod_deploy.pod.protocol import Frame, JobEnd, LogChunk, Sample
from tests.support.shell_grounds import eventually, script_folder, shell_or_skip


@dataclass
class Job:
    """One run's job, used as the client uses it."""

    control: Path
    shell: tuple[str, ...]

    @property
    def log(self) -> Path:
        return self.control / "logs of it" / "run's.log"

    def argv(self, *arguments: str) -> list[str]:
        return [*self.shell, str(self.control / "bin-1" / "job.sh"), *arguments]

    def start(self, body: str, declared_bytes: int | None = None) -> subprocess.CompletedProcess[bytes]:
        size = len(body.encode()) if declared_bytes is None else declared_bytes
        script = self.control / "sub" / "job script.sh"
        argv = self.argv("start", str(self.control), str(self.log), str(script), self.tag, str(size))
        return subprocess.run(argv, input=body.encode(), capture_output=True)

    @property
    def tag(self) -> str:
        return f"{self.control.name}@"

    def follower(self, offset: int = 0, sample_s: int = 0) -> subprocess.Popen[bytes]:
        values = {"D": self.control, "L": self.log, "TAG": self.tag, "OFFSET": offset, "EVERY": sample_s, "DISK": "/"}
        texts = {"F": scripts.program("follow.sh"), "SAMPLE": scripts.program("sample.sh")}
        env = {**os.environ, **{name: str(value) for name, value in values.items()}, **texts}
        argv = (*self.shell, "-c", 'eval "$F"')
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=env)

    def followed(self, offset: int = 0, sample_s: int = 0) -> list[Frame]:
        with self.follower(offset, sample_s) as follower:
            output, _ = follower.communicate()
        return list(FrameParser().feed(output))

    def stop(self, grace_s: int = 1) -> int:
        return subprocess.run(self.argv("stop", str(self.control), self.tag, str(grace_s))).returncode

    def status(self) -> str:
        return subprocess.check_output(self.argv("status", str(self.control), self.tag), text=True).strip()

    @property
    def pid(self) -> int:
        return int((self.control / "pid").read_text().split()[0])


@pytest.fixture(params=["dash", "bash", "busybox"])
def job(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Job]:
    shell = shell_or_skip(request.param)
    control = tmp_path / f"run {os.getpid()} {tmp_path.name}"
    script_folder(control / "bin-1")
    made = Job(control, shell)
    yield made
    made.stop(0)


def log_of(frames: list[Frame]) -> bytes:
    return b"".join(frame.data for frame in frames if isinstance(frame, LogChunk))


def test_log_and_exit_code_arrive_whole(job: Job) -> None:
    job.start("echo one; echo two >&2; printf 'no end'; exit 3")
    frames = job.followed()
    assert log_of(frames) == b"one\ntwo\nno end"
    assert frames[-1] == JobEnd(3)
    assert job.status() == "ended 3"


def test_any_bytes_pass(job: Job) -> None:
    job.start(r"printf 'L 3\nabc\0\377\r\nE 0\nK\n'; head -c 300000 /dev/zero")
    frames = job.followed()
    assert log_of(frames) == b"L 3\nabc\0\xff\r\nE 0\nK\n" + bytes(300_000)
    assert frames[-1] == JobEnd(0)


def test_follows_from_any_byte(job: Job) -> None:
    job.start("seq 1000")
    whole = "".join(f"{n}\n" for n in range(1, 1001)).encode()
    for offset in (0, 1, 1000, len(whole)):
        assert log_of(job.followed(offset)) == whole[offset:]


def test_is_started_once_however_often_it_is_asked(job: Job) -> None:
    first = job.start("echo run; sleep 0.3")
    again = job.start("echo never")
    assert first.stdout == again.stdout == f"{job.pid}\n".encode()
    assert log_of(job.followed()) == b"run\n"


def test_is_started_once_by_many_at_once(job: Job) -> None:
    script, body = str(job.control / "s"), b"echo run; sleep 0.5"
    argv = job.argv("start", str(job.control), str(job.log), script, job.tag, str(len(body)))
    many = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]
    printed = {one.communicate(body)[0] for one in many}
    assert printed == {f"{job.pid}\n".encode()}
    assert log_of(job.followed()) == b"run\n"


def test_half_a_script_is_not_run(job: Job) -> None:
    ended = job.start("rm -rf", declared_bytes=100)
    assert ended.returncode == 1
    assert b"did not arrive whole" in ended.stderr
    assert job.status() == "none"


def test_the_log_of_an_earlier_run_is_no_part_of_this_one(job: Job) -> None:
    job.log.parent.mkdir(parents=True)
    job.log.write_text("from last week\n" * 100)
    job.start("echo new")
    assert log_of(job.followed()) == b"new\n"


def test_the_end_is_known_within_half_a_second(job: Job) -> None:
    job.start("sleep 1; date +%s.%N")
    parser = FrameParser()
    with job.follower() as follower:
        assert follower.stdout is not None
        seen: list[Frame] = []
        while not (seen and isinstance(seen[-1], JobEnd)):
            seen += parser.feed(os.read(follower.stdout.fileno(), 65536))
    assert time.time() - float(log_of(seen)) < 0.75


def test_a_follower_without_reader_ends(job: Job) -> None:
    job.start("sleep 60")
    follower = job.follower()
    assert follower.stdout is not None
    os.read(follower.stdout.fileno(), 10)
    follower.stdout.close()
    assert follower.wait(100) != 0


def test_stop_leaves_nobody(job: Job) -> None:
    marker = f"31{os.getpid()}"
    body = f"""
    (trap '' TERM; sleep {marker}) &
    setsid sleep {marker}1 &
    (setsid nohup sh -c 'sleep {marker}2; true' >/dev/null 2>&1 &) &
    env -i sleep {marker}3 &
    echo ready; wait; sleep {marker}4
    """
    job.start(body)
    eventually(lambda: job.log.exists() and job.log.read_bytes() == b"ready\n" and len(sleepers(marker)) == 4)
    assert job.stop(1) == 0
    assert sleepers(marker) == []
    assert job.followed()[-1] == JobEnd(143, stopped=True)


def sleepers(marker: str) -> list[int]:
    found = subprocess.run(["pgrep", "-f", f"^sleep {marker}"], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split()]


def test_a_job_that_ends_itself_on_term_keeps_its_exit_code(job: Job) -> None:
    job.start("trap 'echo saved; exit 7' TERM; echo ready; while :; do sleep 0.1; done")
    eventually(lambda: job.log.exists() and b"ready" in job.log.read_bytes())
    job.stop(10)
    frames = job.followed()
    assert log_of(frames).endswith(b"saved\n")
    assert frames[-1] == JobEnd(7, stopped=True)


def test_stop_without_a_job_does_nothing(job: Job) -> None:
    assert job.stop(0) == 0
    assert job.status() == "none"


def test_a_job_that_vanished_has_no_exit_code(job: Job) -> None:
    job.start("sleep 60")
    os.killpg(job.pid, signal.SIGKILL)
    eventually(lambda: job.status() == "killed")
    assert job.followed()[-1] == JobEnd(137), "its supervisor was killed, and its container was not"


def test_another_process_with_the_job_s_number_is_not_the_job(job: Job) -> None:
    (job.control / "pid").write_text(f"{os.getpid()}\n")
    assert job.status() == "lost"
    assert job.stop(0) == 0


def test_samples_come_at_once_and_again(job: Job) -> None:
    job.start("sleep 6")
    samples = [frame for frame in job.followed(sample_s=1) if isinstance(frame, Sample)]
    assert 2 <= len(samples) <= 7
    assert all("host_mem_total_mb" in sample.row for sample in samples)


def test_a_stop_after_the_end_of_a_job_does_not_count_as_its_end(job: Job) -> None:
    job.start("echo done")
    eventually(lambda: job.status() == "ended 0")
    job.stop(1)
    assert job.followed()[-1] == JobEnd(0, stopped=False)
