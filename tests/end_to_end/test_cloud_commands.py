"""gpu-list, gpu-inventory, gpu-prices, ls-stale, cleanup, stop, audit and doctor: the program on the simulator."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from runpod_deploy.record import events as e
from tests.support.fakes.program import Program
from tests.support.fakes.simulator import Simulated, simulator

IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
GPU = "NVIDIA RTX 4000 Ada Generation"
RUN_ID = "train-20260601T030000Z"


@pytest.fixture(scope="module")
def running() -> Iterator[Simulated]:
    with simulator() as simulated:
        yield simulated


@pytest.fixture
def sim(running: Simulated) -> Iterator[Simulated]:
    """A simulator without pods and faults."""
    yield running
    running.reset()


@pytest.fixture
def program(sim: Simulated, tmp_path: Path) -> Program:
    return Program(tmp_path / "home", tmp_path, sim.environ)


def rent(sim: Simulated, name: str, env: dict[str, str] | None = None, *, disk_gb: int = 40) -> str:
    """The id of a new pod."""
    body = {
        "name": name,
        "image": IMAGE,
        "disk": 20,
        "ports": ["22/tcp"],
        "env": env or {},
        "gpu": {"id": GPU, "count": 1},
        "dataCenterIds": ["EU-RO-1"],
        "mounts": {"persistent": {"size": disk_gb, "path": "/workspace"}},
    }
    return str(sim.call("POST", "/v2/pods", body)["id"])


def stopped(sim: Simulated, name: str, **more: Any) -> str:
    """The id of a stopped pod."""
    pod_id = rent(sim, name, **more)
    until_up(sim, pod_id)
    sim.call("POST", f"/v2/pods/{pod_id}/action", {"action": "stop"})
    return pod_id


def until_up(sim: Simulated, pod_id: str) -> None:
    for _ in range(200):
        if sim.call("GET", f"/v2/pods/{pod_id}")["runtime"]:
            return
        time.sleep(0.02)
    raise AssertionError("it never booted")


def alive(sim: Simulated) -> set[str]:
    return {pod["id"] for pod in sim.call("GET", "/v2/pods")["pods"]}


def marks(run_id: str = RUN_ID, *, boots_in_s: float = 900, lasts_s: float = 3600) -> dict[str, str]:
    """What the pod of a run bears; negative: the time is up."""
    now = time.time()
    return {
        "RUNPOD_DEPLOY_RUN_ID": run_id,
        "RUNPOD_DEPLOY_DEADLINE": str(int(now + lasts_s)),
        "RUNPOD_DEPLOY_BOOT_DEADLINE": str(int(now + boots_in_s)),
    }


def journal(home: Path, *history: e.Event, run_id: str = RUN_ID) -> Path:
    """The folder of a run of which this is known."""
    folder = home / "artifacts" / "runpod" / run_id.rsplit("-", 1)[-1]
    folder.mkdir(parents=True)
    begun = e.RunStarted(run_id=run_id, job_name="train", tool_version="1", ts_utc=datetime.now(UTC))
    (folder / "events.jsonl").write_text("".join(json.dumps(e.to_row(event)) + "\n" for event in (begun, *history)))
    return folder


def created(pod_id: str) -> e.PodCreated:
    """The pod is the run's."""
    now = datetime.now(UTC)
    return e.PodCreated(
        pod_id=pod_id,
        gpu_id=GPU,
        datacenter_id="EU-RO-1",
        cloud_type="SECURE",
        usd_per_hour=0.28,
        price_source="pod_describe",
        created_at=now,
        stop_at=now + timedelta(hours=1),
        stop_why="cost_cap",
    )


def config(home: Path, gpus: list[str], datacenters: list[str]) -> Path:
    """A config that wants these."""
    path = home / "job.yaml"
    pod = {"image": IMAGE, "gpu_order": gpus, "datacenters": datacenters}
    run = {"script_path": "/workspace/job.sh", "log_path": "/workspace/job.log", "body": "true"}
    storage = {"mode": "ephemeral", "volume_gb": 20}
    document = {"schema_version": 2, "name": "{which}", "variables": {"which": "w"}}
    path.write_text(json.dumps({**document, "pod": pod, "storage": storage, "run": run}))
    return path


# gpu-list, gpu-inventory, gpu-prices


def test_gpu_list_shows_a_datacenter_by_stock(program: Program) -> None:
    ended = program("gpu-list", "--datacenter", "EU-RO-1")
    head, columns, *rows = ended.out.splitlines()
    assert head == "datacenter: EU-RO-1"
    width = columns.index("stock")
    assert columns[width:] == "stock     $/hr (secure)"
    levels = [row[width : width + 8].strip() for row in rows]
    assert levels == sorted(levels, key=["High", "Medium", "Low", "None"].index)
    assert f"{GPU:{width - 2}}  High      $0.28" in rows
    assert (ended.exit_code, ended.err) == (0, "")


def test_gpu_list_without_prices_has_no_such_column_and_q_hides_no_data(program: Program) -> None:
    ended = program("gpu-list", "--datacenter", "EU-RO-1", "--no-prices", "-q")
    assert ended.out.splitlines()[1].split() == ["gpu", "stock"]
    assert "$" not in ended.out


def test_gpu_list_as_json_is_json_alone(program: Program) -> None:
    rows = program("gpu-list", "--datacenter", "EU-RO-1", "--json").json
    expected = {"gpu_id": GPU, "stock": "HIGH", "price_per_hour_usd": 0.28}
    assert any(expected.items() <= row.items() for row in rows)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("gpu-list", "--datacenter", "eu-ro-1"), "did you mean EU-RO-1?"),
        (("gpu-list", "--datacenter", "EU-RO-1", "--spot"), "no longer sells spot"),
        (("gpu-prices", "--spot"), "no longer sells spot"),
        (("cleanup",), "--state-file"),
        (("cleanup", "--all-stopped", "--older-than", "soon"), "is not a duration"),
        (("logs",), "no run has begun here yet"),
    ],
)
def test_what_makes_no_sense_is_said(program: Program, args: tuple[str, ...], words: str) -> None:
    ended = program(*args)
    assert ended.exit_code == 2
    assert words in ended.err


def test_gpu_prices_rise(program: Program) -> None:
    ended = program("gpu-prices", "--no-price-cache", "--cloud-type", "community")
    head, *rows = ended.out.splitlines()
    assert head.split(maxsplit=1) == ["gpu", "$/hr (community)"]
    prices = [float(row.rsplit("$", 1)[1]) for row in rows if "$" in row]
    assert prices == sorted(prices) and len(prices) > 10


def test_gpu_inventory_finds_what_is_stocked(program: Program, tmp_path: Path) -> None:
    path = config(tmp_path, [GPU, "NVIDIA H100 NVL"], ["EU-RO-1", "EU-SE-1"])
    ended = program("gpu-inventory", "--config", str(path), "--var", "which=x")
    lines = ended.out.splitlines()
    assert lines[0] == f"gpu_order: ['{GPU}', 'NVIDIA H100 NVL']"
    assert lines[1:3] == ["datacenter: EU-RO-1", f"  {GPU}  available"]
    assert lines[-1] == "ok: at least one configured GPU is currently stocked"
    assert ended.exit_code == 0


def test_gpu_inventory_says_stock_out_and_what_else_there_is(sim: Simulated, program: Program, tmp_path: Path) -> None:
    path = config(tmp_path, ["NVIDIA A30"], ["EU-RO-1"])
    ended = program("gpu-inventory", "-q", "--config", str(path))
    assert ended.exit_code == 3
    assert "  no configured GPU stocked here" in ended.out
    first, hint = ended.err.splitlines()
    assert first.startswith("stock-out: ") and GPU in hint
    assert program("gpu-inventory", "--config", str(path), "--json").json["any_stocked"] is False


# ls-stale, cleanup, stop


def test_ls_stale_prints_what_audit_scripts_compare_with(program: Program) -> None:
    ended = program("ls-stale")
    assert (ended.exit_code, ended.out, ended.err) == (0, "No stale (EXITED) pods.\n", "")
    assert program("ls-stale", "--json").json == []


def test_ls_stale_prices_stopped_disks_at_the_stopped_rate(sim: Simulated, program: Program) -> None:
    rent(sim, "busy")
    long_name = "a-very-long-pod-name-that-is-cut-here-because-it-is-long"
    short, long = stopped(sim, "nightly-eval-20260601T030000Z", disk_gb=40), stopped(sim, long_name, disk_gb=120)
    lines = program("ls-stale").out.splitlines()
    assert lines[0] == "POD_ID           NAME                                         GB    $/day     $/mo"
    assert lines[1] == lines[-2] == "-" * 82
    assert f"{short:16} nightly-eval-20260601T030000Z                40     0.27     8.00" in lines
    assert f"{long:16} {long_name[:37]}...    120     0.80    24.00" in lines
    assert lines[-1] == "TOTAL: 2 pods, $1.07/day (~$32.00/mo)"
    rows = program("ls-stale", "--json").json
    assert set(rows[0]) == {"pod_id", "name", "volume_in_gb", "age_hours", "estimated_daily_cost_usd"}
    assert all(0 <= row["age_hours"] < 0.1 for row in rows)


def test_cleanup_deletes_the_stopped_pods_that_are_chosen(sim: Simulated, program: Program) -> None:
    ours, other, busy = stopped(sim, "sweep-1"), stopped(sim, "other"), rent(sim, "sweep-2")
    assert program("cleanup", "--all-stopped", "--older-than", "7d", "--yes").out == "No stale (EXITED) pods.\n"
    assert program("cleanup", "--all-stopped", "--dry-run").exit_code == 0
    refused = program("cleanup", "--all-stopped", "--prefix", "sweep-", stdin="n\n")
    assert refused.exit_code == 1
    assert "Delete 1 pod? [y/N]" in refused.err and ours in refused.out and other not in refused.out
    assert alive(sim) == {ours, other, busy}
    done = program("cleanup", "--all-stopped", "--prefix", "sweep-", stdin="y\n")
    assert done.exit_code == 0 and done.out.splitlines()[-1] == "deleted: 1, failed: 0"
    assert alive(sim) == {other, busy}
    assert program("cleanup", "--all-stopped", "--yes", "--json").json == [{"pod_id": other, "error": ""}]


def test_cleanup_ends_the_pod_of_a_state_file_and_the_file(sim: Simulated, program: Program, tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    pod_id = rent(sim, RUN_ID)
    state_file.write_text(json.dumps({"podId": pod_id}))
    assert program("cleanup", "--state-file", "state.json", "--dry-run").exit_code == 0
    assert program("cleanup", "--state-file", "state.json", "--mode", "preserve").exit_code == 0
    assert alive(sim) == {pod_id} and state_file.exists()
    ended = program("cleanup", "--state-file", "state.json")
    assert ended.exit_code == 0 and "confirmed" in ended.err
    assert alive(sim) == set() and not state_file.exists()
    assert program("cleanup", "--state-file", "state.json").exit_code == 2


def test_cleanup_ends_the_pod_of_a_manifest_and_keeps_the_record(
    sim: Simulated, program: Program, tmp_path: Path
) -> None:
    manifest = tmp_path / "runpod_deploy_pull_manifest.json"
    manifest.write_text(json.dumps({"schema_version": "v1", "pod_id": rent(sim, RUN_ID), "run_id": RUN_ID}))
    kept = manifest.read_bytes()
    assert program("cleanup", "--state-file", manifest.name).exit_code == 0
    assert alive(sim) == set() and manifest.read_bytes() == kept


def test_cleanup_touches_no_pod_of_another_run(sim: Simulated, program: Program, tmp_path: Path) -> None:
    pod_id = rent(sim, "another-20260601T030000Z")
    (tmp_path / "state.json").write_text(json.dumps({"pod_id": pod_id, "run_id": RUN_ID}))
    ended = program("cleanup", "--state-file", "state.json")
    assert ended.exit_code == 2 and "another-20260601T030000Z" in ended.err
    assert alive(sim) == {pod_id}


def test_cleanup_asks_for_yes_if_the_file_may_name_any_pod(sim: Simulated, program: Program, tmp_path: Path) -> None:
    pod_id = rent(sim, "training")
    (tmp_path / "state.json").write_text(json.dumps({"pod_id": pod_id}))
    for command in (["cleanup"], ["stop"]):
        ended = program(*command, "--state-file", "state.json")
        assert ended.exit_code == 2 and "shows that runpod-deploy made it" in ended.err and "--yes" in ended.err
    assert alive(sim) == {pod_id}
    assert program("cleanup", "--state-file", "state.json", "--yes").exit_code == 0 and alive(sim) == set()


def test_stop_is_cleanup_that_stops(sim: Simulated, program: Program, tmp_path: Path) -> None:
    pod_id = rent(sim, RUN_ID)
    until_up(sim, pod_id)
    (tmp_path / "state.json").write_text(json.dumps({"pod_id": pod_id}))
    assert program("stop", "--state-file", "state.json").exit_code == 0
    assert sim.call("GET", f"/v2/pods/{pod_id}")["status"] == "EXITED"
    assert (tmp_path / "state.json").exists()


# audit


def test_audit_without_any_journal_reaps_a_pod_that_never_booted(sim: Simulated, program: Program) -> None:
    sim.fault(where="pod", what="never-running")
    dead = rent(sim, RUN_ID, marks(boots_in_s=-60))
    foreign = rent(sim, "somebody-elses")
    named = rent(sim, "nightly-20260601T030000Z")
    elsewhere = rent(sim, "eval-20260601T040000Z", marks("eval-20260601T040000Z"))
    listed = program("audit", "--json")
    assert {row["pod_id"]: row["reason"] for row in listed.json} == {
        dead: "never_booted",
        named: "by_name",
        elsewhere: "unknown",
    }
    assert listed.exit_code == 9
    assert program("audit", "--reap", stdin="n\n").exit_code == 1
    assert alive(sim) == {dead, foreign, named, elsewhere}
    ended = program("audit", "--reap", "--yes", "--json")
    assert ended.exit_code == 0 and ended.json == [{"pod_id": dead, "error": ""}]
    assert alive(sim) == {foreign, named, elsewhere}
    assert program("audit").exit_code == 0


def test_audit_reaps_pods_past_their_deadline_and_spares_those_that_still_boot(
    sim: Simulated, program: Program
) -> None:
    sim.fault(where="pod", what="never-running", times=0, name="boot-20260601T030000Z")
    late, booting = rent(sim, RUN_ID, marks(lasts_s=-600)), rent(sim, "boot-20260601T030000Z", marks("boot"))
    until_up(sim, late)
    assert program("audit", "--reap", "--yes", "-q").exit_code == 0
    assert alive(sim) == {booting}


def test_audit_never_touches_the_pod_of_a_run_that_is_carried_out(
    sim: Simulated, program: Program, tmp_path: Path
) -> None:
    pod_id = rent(sim, RUN_ID, marks(boots_in_s=-600, lasts_s=-600))
    folder = journal(tmp_path, created(pod_id))
    with FileLock(folder / ".lock"):
        assert program("audit", "--reap", "--yes", "--unknown").out == "No leftover pods.\n"
        assert alive(sim) == {pod_id}
    assert program("audit", "--json").json[0]["reason"] in ("past_deadline", "driver_gone", "never_booted")


REQUESTED = e.PodRequested(name=RUN_ID, gpu_id=GPU, datacenter_id="EU-RO-1", cloud_type="SECURE")
REACHED = e.PodReachable(host="127.0.0.1", port=22)
FINISHED = e.RunFinished(outcome="failed", exit_code=20)


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ([FINISHED], "over"),
        ([e.ReleaseStarted(action="delete"), e.PodReleased(action="delete", state=None), FINISHED], "over"),
        ([e.ReleaseStarted(action="preserve"), e.PodReleased(action="preserve", state="RUNNING"), FINISHED], None),
        ([e.ReleaseStarted(action="stop"), e.PodReleased(action="stop", state="EXITED"), FINISHED], "driver_gone"),
        ([REACHED], "driver_gone"),
        ([e.Detached(why="asked")], None),
    ],
)
def test_audit_believes_the_journal(
    sim: Simulated, program: Program, tmp_path: Path, history: list[e.Event], reason: str | None
) -> None:
    pod_id = rent(sim, RUN_ID, marks())
    until_up(sim, pod_id)
    journal(tmp_path, REQUESTED, created(pod_id), *history)
    found = program("audit", "--json").json
    assert [row["reason"] for row in found] == ([reason] if reason else [])


def test_audit_finds_the_second_pod_of_a_run(sim: Simulated, program: Program, tmp_path: Path) -> None:
    first, second = rent(sim, RUN_ID, marks()), rent(sim, RUN_ID, marks())
    journal(tmp_path, created(first), REACHED)
    assert program("audit", "--reap", "--yes").exit_code == 0
    assert alive(sim) == {first, second}, "a pod may have moved to a new id, so a second one goes only by its id"
    assert program("audit", "--reap", "--pod", second, "--yes").exit_code == 0
    assert alive(sim) == {first}


def test_a_deletion_that_is_ignored_is_exit_9_and_names_the_pod(
    sim: Simulated, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod_id = stopped(sim, "stuck")
    sim.fault(where="DELETE /v2/pods/{id}", what="refuse", status=403, times=0)
    ended = program("cleanup", "--all-stopped", "--yes")
    assert ended.exit_code == 9
    assert pod_id in ended.err and ended.out.splitlines()[-1] == "deleted: 0, failed: 1"


# doctor, and the key


def test_doctor_says_what_is_there_and_what_to_do(sim: Simulated, program: Program) -> None:
    checks = {check["name"]: check for check in program("doctor", "--json").json}
    assert checks["key"]["status"] == checks["api"]["status"] == checks["ssh"]["status"] == "ok"
    assert checks["ssh key"]["status"] == "warning" and "ssh-keygen" in checks["ssh key"]["hint"]
    assert "ok      api" in program("doctor").out


def test_doctor_without_a_key_is_exit_4(program: Program) -> None:
    ended = program("doctor", RUNPOD_API_KEY="")
    assert ended.exit_code == 4 and "RUNPOD_API_KEY" in ended.out


def test_a_wrong_key_is_exit_4_and_never_shown(program: Program) -> None:
    ended = program("ls-stale", RUNPOD_API_KEY="rpa_SECRET")
    assert ended.exit_code == 4 and "rpa_SECRET" not in ended.err + ended.out
    assert "hint: " in ended.err
