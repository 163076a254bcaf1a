"""The promises of the `Host` protocol on real SSH servers: commands and the job. Transfers: test_host_transfers."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Address
from runpod_deploy.errors import SshLost
from runpod_deploy.pod.openssh import PodHost
from runpod_deploy.pod.protocol import Frame, GuardTerms, JobEnd, Lease, LogChunk, Sample
from runpod_deploy.pod.ssh import Unreachable
from tests.contract.hosts import Ground, cable, ground
from tests.support.shell_grounds import end_processes_of, eventually, fake_api
from tests.support.sshd import free_port


@pytest.fixture(params=["openssh-tar", "asyncssh-tar", "asyncssh-busybox"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with ground(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def host(place: Ground) -> PodHost:
    return place.host()


def running(text: str) -> bool:
    return subprocess.run(["pgrep", "-f", text], capture_output=True).returncode == 0


def test_a_command_gets_its_input_and_gives_its_output_and_status(host: PodHost) -> None:
    reply = host.run("cat; echo err >&2; exit 7", stdin=b"\0\xff in\n", timeout_s=20)
    assert (reply.exit_code, reply.stdout, reply.stderr) == (7, b"\0\xff in\n", b"err\n")


@pytest.mark.parametrize(
    "text", ["echo \"it's\" '$HOME'", "echo a\necho b", "printf '%s' 'ü\t\\n'", "x=$((1+1)); echo $x"]
)
def test_a_command_arrives_byte_for_byte(host: PodHost, text: str) -> None:
    there = host.run(text, timeout_s=20).stdout
    assert there == subprocess.check_output(["bash", "-c", text])


def test_a_long_command_runs(host: PodHost) -> None:
    assert host.run(f"x='{'y' * 100_000}'; echo ${{#x}}", timeout_s=30).stdout == b"100000\n"


def test_status_255_is_the_command_s_own(host: PodHost) -> None:
    assert host.run("exit 255", timeout_s=20).exit_code == 255


def test_output_comes_as_it_is_made(host: PodHost) -> None:
    seen: list[tuple[float, bytes]] = []
    host.run("echo one; sleep 1; echo two", timeout_s=20, on_output=lambda data: seen.append((time.monotonic(), data)))
    assert b"".join(data for _, data in seen) == b"one\ntwo\n"
    arrived_at = [at for at, data in seen if data]
    assert arrived_at[-1] - arrived_at[0] > 0.7


def test_a_command_that_takes_too_long_is_killed_there(host: PodHost, place: Ground) -> None:
    sleeper = f"sleep 61.{place.address.port}"
    host.run("true", timeout_s=20)
    with pytest.raises(TimeoutError):
        host.run(f"{sleeper} & {sleeper}", timeout_s=1)
    eventually(lambda: not running(sleeper))


def test_a_command_is_over_when_its_own_process_is(host: PodHost, place: Ground) -> None:
    sleeper = f"sleep 64.{place.address.port}"
    begun = time.monotonic()
    try:
        reply = host.run(f"({sleeper}; echo late) & echo begun; echo err >&2; exit 5", timeout_s=60)
        assert (reply.exit_code, reply.stdout) == (5, b"begun\n") and b"err\n" in reply.stderr
        assert time.monotonic() - begun < 30
        assert running(sleeper), "what it left running goes on"
    finally:
        subprocess.run(["pkill", "-f", sleeper])


def test_a_command_that_kills_by_name_does_not_kill_itself(host: PodHost, place: Ground) -> None:
    name = f"some_server_{place.address.port}"
    reply = host.run(f"pkill -f {name}; pkill -f {place.paths().control_dir.rsplit('/')[-1]}; echo on", timeout_s=20)
    assert (reply.exit_code, reply.stdout) == (0, b"on\n")


def test_a_job_that_kills_by_the_name_of_its_run_is_followed_on(place: Ground, host: PodHost) -> None:
    name = place.paths().control_dir.rsplit("/")[-1]
    host.launch(f"echo begin; sleep 1; pkill -f {name} 2>/dev/null; sleep 1; echo end".encode())
    frames = collect(host)
    assert (log_of(frames), frames[-1]) == (b"begin\nend\n", JobEnd(0)), "over one connection"


def test_a_command_dies_with_its_connection(place: Ground) -> None:
    sleeper = f"sleep 62.{place.address.port}"
    with cable(place.address) as line:
        host = place.host(line.address)

        def cut(_: bytes) -> None:
            line.cut()

        with pytest.raises(SshLost):
            host.run(f"echo up; {sleeper}", timeout_s=30, on_output=cut)
        eventually(lambda: not running(sleeper))


def test_a_closed_port_is_not_listening(place: Ground) -> None:
    host = place.host(Address(host="127.0.0.1", port=free_port()))
    with pytest.raises(Unreachable) as caught:
        host.run("true", timeout_s=20)
    assert caught.value.reason == "not_listening"


def test_a_refused_key(place: Ground, tmp_path: Path) -> None:
    place.ssh_dir = tmp_path / "other" / "ssh"
    with pytest.raises(Unreachable) as caught:
        place.host().run("true", timeout_s=20)
    assert caught.value.reason == "auth"


def test_another_machine_at_the_address(place: Ground) -> None:
    host = place.host()
    host.run("true", timeout_s=20)
    host.close()
    known = place.ssh_dir / "known_hosts"
    stranger = place.ssh_dir.parent / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    name = known.read_text().split()[0]
    known.write_text(f"{name} {stranger.with_suffix('.pub').read_text()}")
    with pytest.raises(Unreachable) as caught:
        place.host().run("true", timeout_s=20)
    assert caught.value.reason == "host_key"


def test_ssh_by_hand(place: Ground, host: PodHost) -> None:
    host.run("true", timeout_s=20)
    host.close()
    by_hand = subprocess.run(["ssh", "-F", place.ssh_dir / "config", "pod", "echo", "hi"], capture_output=True)
    assert by_hand.stdout == b"hi\n"
    host.close()


def test_closing_leaves_no_connection(place: Ground, host: PodHost) -> None:
    host.run("true", timeout_s=20)
    config = str(place.ssh_dir / "config")
    socket = next(word for word in host._connection.argv("true") if word.startswith("ControlPath=")).split("=")[1]
    assert running(config) or running(f"ssh: {socket}")
    host.close()
    eventually(lambda: not Path(socket).exists() and not running(f"ssh: {socket}"))


def collect(host: PodHost, offset: int = 0) -> list[Frame]:
    frames: list[Frame] = []
    with host.follow(offset) as channel:
        end = time.monotonic() + 30
        while not (frames and isinstance(frames[-1], JobEnd)):
            assert time.monotonic() < end
            frame = channel.read(1.0)
            if frame is not None:
                frames.append(frame)
    return frames


def log_of(frames: list[Frame]) -> bytes:
    return b"".join(frame.data for frame in frames if isinstance(frame, LogChunk))


def test_a_job_from_start_to_end(place: Ground) -> None:
    host = place.host(sample_s=1)
    pid = host.launch(b"echo begin; sleep 3; printf last; exit 5")
    assert host.launch(b"echo never") == pid
    frames = collect(host)
    assert log_of(frames) == b"begin\nlast"
    assert frames[-1] == JobEnd(5)
    assert any(isinstance(frame, Sample) for frame in frames)


def test_a_follower_continues_at_its_byte_after_a_lost_connection(place: Ground) -> None:
    body = b"for n in $(seq 1 300); do for m in 0 1 2 3 4 5 6 7 8 9; do echo line $n$m; done; sleep 0.01; done"
    whole = b"".join(b"line %d\n" % n for n in range(10, 3010))
    got = b""
    with cable(place.address) as line:
        host = place.host(line.address)
        host.launch(body)
        frame: object = None
        while not isinstance(frame, JobEnd):
            line.cut_after = (1_500, 9_000, 1 << 60)[line.cuts]
            with suppress(SshLost), host.follow(len(got)) as channel:
                while not isinstance(frame, JobEnd):
                    frame = channel.read(5.0)
                    if isinstance(frame, LogChunk):
                        got += frame.data
        assert line.cuts == 2
    assert got == whole


def test_stop_job_leaves_no_process_and_a_status(place: Ground, host: PodHost) -> None:
    sleeper = f"sleep 63.{place.address.port}"
    host.launch(f"setsid {sleeper} & trap '' TERM; {sleeper}".encode())
    eventually(lambda: running(sleeper))
    host.stop_job(0.5)
    assert not running(sleeper)
    assert isinstance(collect(host)[-1], JobEnd)


def test_the_guard_is_armed_and_disarmed(place: Ground, host: PodHost) -> None:
    deadline = datetime.now(UTC) + timedelta(hours=1)
    control = Path(place.paths().control_dir)
    try:
        with fake_api() as api:
            terms = GuardTerms(deadline_at=deadline, idle_s=3600, on_failure="stop", api_base_url=api.url)
            assert host.arm(terms) == ""
            assert host.arm(terms) == "", "again, to the guard that lives"
        pid = int((control / "guard" / "pid").read_text())
        assert str(int(deadline.timestamp())) in (control / "guard" / "armed").read_text()
        for marker in ("disarmed", "rest"):
            host.disarm(from_next_start=marker == "rest")
            assert (control / "guard" / marker).exists()
            assert host.arm(terms) == ""
            assert not (control / "guard" / marker).exists()
        assert int((control / "guard" / "pid").read_text()) == pid
    finally:
        end_processes_of(control)


def test_a_guard_whose_key_the_api_refuses_gives_no_proof(place: Ground, host: PodHost) -> None:
    deadline = datetime.now(UTC) + timedelta(hours=1)
    try:
        with fake_api() as api:
            api.answers = {"GET /v2/pods/": (401, {})}
            terms = GuardTerms(deadline_at=deadline, idle_s=3600, on_failure="stop", api_base_url=api.url)
            assert host.arm(terms).endswith("401")
    finally:
        end_processes_of(Path(place.paths().control_dir))


def test_a_lease_is_looked_at_without_a_trace_and_taken_once(host: PodHost, place: Ground) -> None:
    assert host.lease() == Lease()
    assert not Path(place.paths().control_dir).exists()
    assert host.take_lease(1, "a" * 48, "machine-a") and host.take_lease(1, "a" * 48, "machine-a")
    assert not place.host().take_lease(1, "b" * 48, "machine-b")
    host.leave_note(b'{"token": "x"}')
    seen = host.lease()
    assert (seen.number, seen.claim, seen.holder, seen.note) == (1, "a" * 48, "machine-a", b'{"token": "x"}')
    assert seen.silent_s is not None and seen.silent_s < 60
    assert place.host().take_lease(2, "b" * 48, "machine-b") and host.lease().holder == "machine-b"


def test_a_lease_tells_of_the_job_and_of_the_last_client(host: PodHost, place: Ground) -> None:
    pid = host.launch(b"sleep 30\n")
    control = Path(place.paths().control_dir)
    contact = control / "guard" / "contact"
    contact.parent.mkdir(parents=True, exist_ok=True)
    (control / "contact").unlink(missing_ok=True)
    contact.touch()
    os.utime(contact, (time.time() - 500, time.time() - 500))
    seen = host.lease()
    assert seen.job_pid == pid and seen.silent_s is not None and 490 < seen.silent_s < 590
    host.stop_job(1.0)


def test_a_lease_that_a_job_has_spoilt_is_no_lease(host: PodHost, place: Ground) -> None:
    guard = Path(place.paths().control_dir) / "guard"
    guard.mkdir(parents=True)
    (guard / "lease.1").write_bytes(b"\xff\x1b]52;c;x\x07 " * 100_000)
    (guard / "note").write_bytes(b"x" * 1_000_000)
    (guard.parent / "pid").write_text("$(reboot) 5\n")
    seen = host.lease()
    assert (seen.claim, seen.holder, seen.job_pid) == ("", "", None) and len(seen.note) == 1 << 16
