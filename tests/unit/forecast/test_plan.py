"""The plan of a run, as a person reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runpod_deploy.cli.dry_run import print_plan
from runpod_deploy.config import load
from runpod_deploy.errors import ConfigError, StockOut
from runpod_deploy.lifecycle import FORWARD
from runpod_deploy.spec import Spec
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.cloud import FakeCloud

CONFIG = """\
name: tune-{seed}
variables: {seed: "7"}
pod:
  image: ghcr.io/x/y:1
  datacenters: [EU-SE-1, EU-RO-1]
  gpu_order: [NVIDIA L40S, NVIDIA Voodoo]
  gpu_count: 2
  env: {TOKEN: pod-secret-value}
  python_version: 3.12.4
storage: {mode: ephemeral, volume_gb: 40}
budget: {cost_cap_usd: 2.18}
local: {required_paths: [src]}
remote_env: {exports: {WANDB: export-secret-value}}
setup:
  - command: |
      apt-get install -y jq
      echo {seed}
    timeout_sec: 60
staging:
  - {label: code, source: src/, destination: /workspace/src}
secrets:
  - {name: hf, destination: /root/.env, env: [PLAN_TOKEN]}
run:
  script_path: /workspace/run.sh
  log_path: /workspace/run.log
  success_marker: DONE
  failure_markers: [BAD]
  body: |
    python3 train.py --seed {seed}
artifacts:
  - {label: out, remote_path: /workspace/out/, local_path: "{run_dir}/out"}
  - {label: log, remote_path: /workspace/run.log, local_path: logs/, required: false, every_sec: 60}
"""

PLAN = """\
tune-7-20260102T030405Z: what would happen; nothing is done

check
  project folder ROOT
  must be there: src
  seed = 7

choose
  1. NVIDIA L40S in EU-SE-1 on SECURE at 1.09 USD/h a GPU
  2. NVIDIA L40S in EU-RO-1 on SECURE at 1.09 USD/h a GPU
  left out: NVIDIA Voodoo: no such GPU in the catalogue

provision
  create pod tune-7-20260102T030405Z: 2 x NVIDIA L40S in EU-SE-1, image ghcr.io/x/y:1
  container disk 20 GB, volume of 40 GB at /workspace, ports 22/tcp
  environment: TOKEN (values not shown)
  2.18 USD/h and 0.01 USD/h for its disks; stopped after 59 min and 2.18 USD at the latest, by the cap of 2.18 USD

connect
  wait up to 900 s for SSH, key ~/.ssh/id_ed25519 or the run's own
  arm the guard on the pod, and do not start the job without it

setup
  within 900 s: Python 3.12.4 for uv, and uv itself if the image has none
  within 60 s:
    | apt-get install -y jq
    | echo 7

secrets
  hf: /root/.env, mode 0600, from environment: PLAN_TOKEN

stage
  code: src/ -> /workspace/src, deleting files that are not here
    2 files, 2.0 kB
    big.bin  2.0 kB
    train.py  4 B

launch
  write /workspace/run.sh and start it, log /workspace/run.log
    | python3 train.py --seed 7

watch
  succeeded: exit status 0 and a line with 'DONE'
  failed at once: a line with 'BAD'

collect
  out: contents of /workspace/out/ -> /runs/x/out (required)
  log: /workspace/run.log -> ROOT/logs/run.log (if there, also every 60 s)

release
  after success: delete
  else: stop
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLAN_TOKEN", "very-secret-value")
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "train.py").write_text("pass")
    (root / "src" / "big.bin").write_bytes(b"x" * 2000)
    (root / "job.yaml").write_text(CONFIG)
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return load(root / "job.yaml").render(stamp="20260102T030405Z", run_dir=Path("/runs/x"), created_at=at)


def printed(spec: Spec, capsys: pytest.CaptureFixture[str], cloud: FakeCloud | None, as_json: bool = False) -> str:
    print_plan(spec, cloud, as_json=as_json)
    return capsys.readouterr().out.replace(str(spec.project_root), "ROOT")


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud(FakeClock())


def test_the_whole_plan(spec: Spec, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(spec, capsys, cloud) == PLAN
    assert cloud.created == []


def test_no_secret_is_in_it(spec: Spec, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(spec, capsys, cloud) + printed(spec, capsys, cloud, as_json=True)
    assert "secret-value" not in text


def test_as_data(spec: Spec, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(printed(spec, capsys, cloud, as_json=True))
    assert data["run_id"] == spec.run_id
    assert [phase["phase"] for phase in data["phases"]] == [
        *(phase.__name__ for phase in FORWARD),
        "collect",
        "release",
    ]


def test_offline_the_first_choice_is_taken_for_granted(spec: Spec, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(spec, capsys, None)
    assert "1. NVIDIA L40S in EU-SE-1 on SECURE at unknown price a GPU\n" in text
    assert (
        "1.65 USD/h (assumed) and 0.01 USD/h for its disks; stopped after 1 h 18 min and 2.18 USD at the latest" in text
    )


def test_what_is_missing_is_an_error_as_for_the_run(
    spec: Spec, cloud: FakeCloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLAN_TOKEN")
    (spec.project_root / "src" / "train.py").unlink()
    with pytest.raises(ConfigError, match="secrets: hf: its value is not here"):
        print_plan(spec, cloud)
    assert "from environment: PLAN_TOKEN, NOT HERE" in capsys.readouterr().out


def test_a_price_limit_that_nothing_meets_ends_as_the_run_would(spec: Spec, cloud: FakeCloud) -> None:
    job = replace(spec.job, budget=replace(spec.job.budget, max_gpu_price=0.1))
    with pytest.raises(StockOut):
        print_plan(replace(spec, job=job), cloud)


def test_flags_choose_one_candidate(spec: Spec, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = replace(spec, gpu_id="NVIDIA A40", datacenter_id="US-TX-3")
    text = printed(chosen, capsys, cloud)
    assert "  1. NVIDIA A40 in US-TX-3 on SECURE at 0.44 USD/h a GPU\n\nprovision" in text
