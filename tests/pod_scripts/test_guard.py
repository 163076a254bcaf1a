"""scripts/guard.sh in real shells and with real HTTP clients, in a PID namespace with a pod's variables."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.pod import guard, scripts
from runpod_deploy.pod.protocol import GuardTerms
from tests.support.shell_grounds import (
    KEY,
    FakeApi,
    container,
    end_processes_of,
    eventually,
    fake_api,
    script_folder,
    shell_or_skip,
)
from tests.support.sshd import free_port, tools_without

CLIENTS = ("curl", "wget", "python3")
POD = "/v2/pods/pod1"
DELETED = f"DELETE {POD}"
ACTION = f"POST {POD}/action"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


@pytest.fixture
def control(tmp_path: Path) -> Path:
    """A run's control folder with its scripts."""
    folder = tmp_path / f"{tmp_path.name}-{os.getpid()}"
    script_folder(folder / "bin-1")
    return folder


def variables(api_url: str, **more: str) -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "RUNPOD_API_KEY": KEY,
        "RUNPOD_POD_ID": "pod1",
        "RUNPOD_API_BASE_URL": api_url,
        **more,
    }


def boot_terms(in_s: float, *, idle_s: int = 3600, on_failure: str = "stop") -> dict[str, str]:
    return {
        "RUNPOD_DEPLOY_DEADLINE": str(int(time.time() + in_s)),
        "RUNPOD_DEPLOY_IDLE_S": str(idle_s),
        "RUNPOD_DEPLOY_ON_FAILURE": on_failure,
    }


def terms_from(now: datetime, in_s: float, **given: Any) -> GuardTerms:
    """Terms whose deadline is that many seconds after the instant."""
    deadline_at = now + timedelta(seconds=in_s)
    ours = {"idle_s": 3600, "on_failure": "stop", "api_base_url": "http://127.0.0.1:9"}
    return GuardTerms(deadline_at=deadline_at, **{**ours, **given})


def arm(control: Path, in_s: float, *, clock_off_s: int = 0, **given: Any) -> None:
    """The terms file as the client writes it, from a machine whose clock may be off."""
    now = datetime.now(UTC) + timedelta(seconds=clock_off_s)
    terms = terms_from(now, in_s, **given)
    (control / "guard").mkdir(exist_ok=True)
    (control / "guard" / "terms.new").write_text(guard.terms_text(terms, now))
    (control / "guard" / "terms.new").rename(control / "guard" / "terms")


def program(control: Path) -> dict[str, str]:
    """The variables that a guard is started with."""
    role = f"guard {control.name}@"
    return {"G": scripts.program("guard.sh"), "RUNPOD_DEPLOY_DIR": str(control), "RUNPOD_DEPLOY_ROLE": role}


@contextmanager
def guarding(control: Path, env: dict[str, str], shell: tuple[str, ...] = ("sh",)) -> Iterator[subprocess.Popen[bytes]]:
    with container({**env, **program(control)}, (*shell, "-c", 'eval "$G"')) as process:
        yield process
        assert process.poll() is None, "a guard never exits"


def started_job(control: Path, body: str) -> None:
    """A job that was started by job.sh, outside of the guard's namespace."""
    log, script = control / "log", control / "script"
    arguments = ("start", str(control), str(log), str(script))
    start = ["sh", str(control / "bin-1/job.sh"), *arguments, f"{control.name}@", str(len(body))]
    subprocess.run(start, input=body.encode(), check=True, capture_output=True)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_releases_at_the_deadline_in_every_shell_with_every_client(
    shell: str, client: str, control: Path, api: FakeApi
) -> None:
    if (shell, client) == ("busybox", "wget"):
        pytest.skip("this shell's own wget, which cannot DELETE, comes before the one in PATH")
    others = [name for name in (*CLIENTS, "runpodctl") if name != client]
    path = tools_without(*others)
    arm(control, -1)
    with guarding(control, variables(api.url, PATH=path), shell_or_skip(shell)):
        eventually(lambda: api.calls)
    assert (api.calls[0].method, api.calls[0].path) == ("DELETE", POD)
    for call in (api.calls[0], api.looks[0]):
        assert call.authorized and call.path == POD
        assert call.agent.startswith("runpod-deploy-guard/")
        assert not call.key_seen_in_argv


@pytest.mark.parametrize("client", CLIENTS)
def test_it_proves_that_the_api_answers_to_its_key(client: str, control: Path, api: FakeApi) -> None:
    api.answers = {f"GET {POD}": (401, {})}
    arm(control, 3600)
    path = tools_without(*(name for name in CLIENTS if name != client))
    with guarding(control, variables(api.url, PATH=path)):
        eventually(lambda: api.looks)
        time.sleep(1.0)
        assert not (control / "guard" / "proof").exists() and len(api.looks) == 1, "it pauses between its requests"
        api.answers.clear()
        eventually((control / "guard" / "proof").exists)
    assert api.calls == []


def test_without_a_client_there_is_no_proof(control: Path, api: FakeApi) -> None:
    arm(control, 3600)
    with guarding(control, variables(api.url, PATH=tools_without(*CLIENTS, "runpodctl"))):
        eventually(lambda: "no answer" in log_of(control))
        assert not (control / "guard" / "proof").exists()
    assert api.looks == []


def test_a_proof_is_made_anew_after_a_restart(control: Path, api: FakeApi) -> None:
    arm(control, 3600)
    (control / "guard" / "proof").touch()
    with guarding(control, variables(api.url)):
        eventually(lambda: api.looks)
        eventually((control / "guard" / "proof").exists)


def test_new_terms_in_a_folder_that_lost_its_files_are_proved_as_well(control: Path, api: FakeApi) -> None:
    arm(control, 3600)
    with guarding(control, variables(api.url)):
        eventually((control / "guard" / "proof").exists)
        arm(control, 7200)
        for name in ("proof", "armed", "clock", "seen"):
            (control / "guard" / name).unlink(missing_ok=True)
        for name in ("proof", "armed", "clock", "seen"):
            eventually((control / "guard" / name).exists)


def test_every_way_to_release_is_tried(control: Path, api: FakeApi) -> None:
    api.answers = {
        DELETED: (403, {"detail": "no"}),
        ACTION: (500, {}),
        "POST /graphql": (200, {"errors": [{"message": "Unauthorized"}]}),
    }
    arm(control, -1)
    with guarding(control, variables(api.url)):
        eventually(lambda: len(api.calls) >= 5)
    assert api.asked()[:5] == [DELETED, ACTION, "POST /graphql", ACTION, "POST /graphql"]
    assert api.calls[1].body == '{"action":"terminate"}'
    assert api.calls[2].body == '{"query":"mutation{podTerminate(input:{podId:\\"pod1\\"})}"}'
    assert api.calls[3].body == '{"action":"stop"}'
    assert not any(call.key_seen_in_argv for call in api.calls)


@pytest.mark.parametrize("status", [404, 410])
def test_a_pod_that_is_gone_needs_no_second_call(control: Path, api: FakeApi, status: int) -> None:
    api.answers = {DELETED: (status, {})}
    arm(control, -1)
    with guarding(control, variables(api.url)):
        eventually(lambda: api.calls)
        time.sleep(1.0)
    assert api.asked() == [DELETED]


def test_an_unreachable_api_is_tried_again_and_again(control: Path) -> None:
    port = free_port()
    arm(control, -1)
    with guarding(control, variables(f"http://127.0.0.1:{port}")):
        eventually(lambda: "no answer" in log_of(control) or "000" in log_of(control))
        with fake_api(port) as api:
            # The API may come up between two attempts: the first call may be any of them, but it is about the pod.
            eventually(lambda: api.calls)
    assert api.calls[0].path.startswith(POD) or "pod1" in str(api.calls[0].body)


def log_of(control: Path) -> str:
    log = control / "guard" / "log"
    return log.read_text() if log.exists() else ""


def test_a_job_is_stopped_first_and_the_pod_released_as_asked(control: Path, api: FakeApi) -> None:
    started_job(control, "trap '' TERM; echo up; sleep 600 & wait; sleep 600")
    eventually(lambda: (control / "log").read_text() == "up\n")
    arm(control, -1, on_failure="stop")
    # It runs outside of a namespace, so that it sees the job; its own variables stand in for those of PID 1.
    adapted = scripts.program("guard.sh").replace("$(env_of 1 ", "$(env_of $$ ")
    env = {**variables(api.url), **program(control), "G": adapted}
    process = subprocess.Popen(["sh", "-c", 'eval "$G"'], env=env)
    try:
        eventually(lambda: api.calls)
    finally:
        end_processes_of(control)
        process.wait()
    assert api.calls[0].body == '{"action":"stop"}'
    assert (control / "status").read_text().split()[0] == "137"


def test_a_pod_that_may_stay_is_left_alone(control: Path, api: FakeApi) -> None:
    (control / "pid").write_text("999999\n")
    arm(control, -1, on_failure="preserve")
    with guarding(control, variables(api.url)):
        eventually(lambda: "preserve" in log_of(control))
    assert api.calls == []


def test_a_pod_on_which_no_job_is_started_is_deleted(control: Path, api: FakeApi) -> None:
    with guarding(control, variables(api.url, **boot_terms(3600, idle_s=1))):
        eventually(lambda: api.calls)
    assert api.asked()[0] == DELETED
    assert "nobody has come for 1 s" in log_of(control)


def test_a_client_at_work_keeps_the_pod(control: Path, api: FakeApi) -> None:
    with guarding(control, variables(api.url, **boot_terms(3600, idle_s=2))):
        for _ in range(15):
            (control / "contact").touch()
            time.sleep(0.3)
        assert api.calls == []
        eventually(lambda: api.calls)


def test_a_pod_whose_job_ended_is_released_when_no_client_comes(control: Path, api: FakeApi) -> None:
    started_job(control, "exit 0")
    eventually(lambda: (control / "status").exists())
    arm(control, 3600, idle_s=1)
    with guarding(control, variables(api.url)):
        eventually(lambda: api.calls)
    assert api.calls[0].body == '{"action":"stop"}'


def test_goes_on_counting_after_a_restart(control: Path, api: FakeApi) -> None:
    arm(control, 3)
    env = variables(api.url, **boot_terms(7200))
    with guarding(control, env):
        eventually(lambda: (control / "guard" / "armed").exists())
        time.sleep(1)
    assert api.calls == []
    with guarding(control, env):
        eventually(lambda: api.calls)
    assert api.asked() == [DELETED]


def test_a_fast_clock_of_the_caller_does_not_change_the_time_left(control: Path, api: FakeApi) -> None:
    arm(control, 6, clock_off_s=36_000)
    with guarding(control, variables(api.url)):
        time.sleep(1.5)
        assert api.calls == []
        eventually(lambda: api.calls)


def test_a_slow_clock_of_the_caller_does_not_end_the_pod_early(control: Path, api: FakeApi) -> None:
    arm(control, 600, clock_off_s=-36_000)
    with guarding(control, variables(api.url)):
        eventually((control / "guard" / "armed").exists)
        time.sleep(2)
    assert api.calls == []


def test_new_terms_count_from_the_next_second(control: Path, api: FakeApi) -> None:
    arm(control, 2)
    with guarding(control, variables(api.url)):
        eventually(lambda: (control / "guard" / "armed").exists())
        arm(control, 600)
        terms = (control / "guard" / "terms").read_text()
        eventually(lambda: (control / "guard" / "armed").read_text() == terms)
        time.sleep(2.5)
        assert api.calls == []
        arm(control, -1)
        eventually(lambda: api.calls)


def test_a_disarmed_guard_is_idle(control: Path, api: FakeApi) -> None:
    arm(control, -1)
    (control / "guard" / "disarmed").touch()
    with guarding(control, variables(api.url)):
        time.sleep(2)
        assert api.calls == []
        (control / "guard" / "disarmed").unlink()
        eventually(lambda: api.calls)


def test_a_guard_that_rests_from_the_next_start_on_still_acts_before_it(control: Path, api: FakeApi) -> None:
    arm(control, 3)
    env = variables(api.url, **boot_terms(3, idle_s=4))
    with guarding(control, env):
        eventually(lambda: (control / "guard" / "armed").exists())
        (control / "guard" / "rest").touch()
        eventually(lambda: api.calls)
    asked = len(api.calls)
    with guarding(control, env):
        time.sleep(2.0)
        assert len(api.calls) == asked, "a pod that is started again gets its time"
        eventually(lambda: len(api.calls) > asked)
    assert api.calls[-1].body == '{"action":"stop"}', "and its disk is kept"


def test_a_pod_that_its_guard_stopped_can_be_started_again(control: Path, api: FakeApi) -> None:
    (control / "pid").write_text("999999\n")
    arm(control, -1, on_failure="stop")
    env = variables(api.url, **boot_terms(-1))
    with guarding(control, env):
        eventually(lambda: (control / "guard" / "rest").exists())
    asked = len(api.calls)
    with guarding(control, env):
        eventually(lambda: not (control / "guard" / "rest").exists())
        time.sleep(2.0)
        assert len(api.calls) == asked


def test_a_refused_stop_leaves_no_rest_file(control: Path, api: FakeApi) -> None:
    api.answers = {ACTION: (500, {}), "POST /graphql": (500, {})}
    (control / "pid").write_text("999999\n")
    arm(control, -1, on_failure="stop")
    for _ in range(2):
        before = len(api.calls)
        with guarding(control, variables(api.url, PATH=tools_without("runpodctl"))):
            eventually(lambda before=before: len(api.calls) > before)  # type: ignore[misc]
        assert not (control / "guard" / "rest").exists()


def test_another_process_of_the_job_s_number_does_not_keep_the_pod(control: Path, api: FakeApi) -> None:
    (control / "pid").write_text("1\n")
    with guarding(control, variables(api.url, **boot_terms(3600, idle_s=1))):
        eventually(lambda: api.calls)


def test_a_person_at_a_terminal_keeps_the_pod(control: Path, api: FakeApi) -> None:
    env = {**variables(api.url, **boot_terms(3600, idle_s=1)), **program(control)}
    person = "exec -a 'sshd: root@pts/0' sleep 600"
    argv = (
        "bash",
        "-c",
        f"({person}) & person=$!; sh -c 'eval \"$G\"' & sleep 4; kill $person; wait",
    )
    with container(env, argv):
        time.sleep(3.5)
        assert api.calls == []
        eventually(lambda: api.calls)


def test_a_pod_that_was_stopped_and_started_again_is_not_ended_at_once(control: Path, api: FakeApi) -> None:
    with guarding(control, variables(api.url, **boot_terms(-86_400, idle_s=3))):
        time.sleep(1.5)
        assert api.calls == []
        eventually(lambda: api.calls)
    assert api.calls[0].body == '{"action":"stop"}'


def test_the_start_command_starts_the_guard_and_then_the_image_s_own(tmp_path: Path, api: FakeApi) -> None:
    control = tmp_path / "volume" / "run-1"
    env = variables(
        api.url,
        **guard.pod_env(str(control), terms_from(datetime.now(UTC), 2)),
    )
    argv = guard.start_command("any/image", f"echo own >{tmp_path}/own; exec sleep 60")
    with container(env, argv):
        eventually((tmp_path / "own").exists)
        eventually(lambda: api.calls)
    assert api.asked()[0] == DELETED


def test_the_guard_starts_before_the_start_script_of_a_known_image() -> None:
    argv = guard.start_command("runpod/pytorch:2.8.0-py3.11-cuda12.8.1", None)
    assert argv[:2] == ("sh", "-c")
    assert argv[2].index('eval "$G"') < argv[2].index("exec /start.sh")
    assert guard.start_command("ubuntu:24.04", None) == ()


def test_the_guard_fits_into_the_variables_of_a_container() -> None:
    env = guard.pod_env("/workspace/.runpod-deploy/r", terms_from(datetime.now(UTC), 0))
    packed = base64.b64decode(env["RUNPOD_DEPLOY_GUARD"])
    assert gzip.decompress(packed).decode() == scripts.program("guard.sh")
    assert len(env["RUNPOD_DEPLOY_GUARD"]) < 12_000


FILES = sorted({part for parts in scripts.PROGRAMS.values() for part in parts} | {"run.sh", "keeper.awk"})


@pytest.mark.parametrize("name", FILES)
def test_a_script_can_be_read_in_one_go(name: str) -> None:
    assert scripts.text(name).count("\n") <= 130
