"""What the commands tell of runs that really were, while they run and afterwards."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from pathlib import Path

from tests.support.harness import WORK, Simulator, Tool, job, run


def tell(sim: Simulator, cwd: Path, *args: str) -> str:
    """What a reading command prints."""
    ended = Tool(sim, *args, cwd=cwd).end()
    assert ended.code == 0, ended.err
    return ended.out


def start(sim: Simulator, folder: Path, body: str) -> Tool:
    """A run of that body that goes on, and stops its pod if it fails."""
    config = job(folder, body=body, lifecycle={"on_failure": "stop"})
    return Tool(sim, "run", "--config", str(config), "--print-run-dir")


def test_a_run_is_followed_taken_up_again_and_reported(sim: Simulator, tmp_path: Path) -> None:
    project = tmp_path / "p"
    body = WORK + "echo __RUNPOD_STEP_START__train__\necho step one\nsleep 9\necho DONE\n"
    config = job(project, body=body, telemetry={"sample_interval_sec": 5})
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "remote_step_started")

    (live,) = json.loads(tell(sim, project, "status", "--json"))
    assert (live["state"], live["phase"], live["step"], live["last_line"]) == ("running", "watch", "train", "step one")
    assert live["spent_usd"] > 0 and str(tool.process.pid) in live["held_by"]
    assert "step one" in tell(sim, project, "status").splitlines()[1]

    tool.signal(signal.SIGKILL)
    tool.process.communicate()
    assert tool.run_dir is not None
    assert json.loads(tell(sim, project, "status", "--json"))[0]["state"] == "left"
    assert Tool(sim, "resume", str(tool.run_dir)).end().code == 0
    assert json.loads(tell(sim, project, "status", "--json")) == []

    before = json.loads((tool.run_dir / "runpod_deploy_pull_manifest.json").read_text())
    (tool.run_dir / "runpod_deploy_pull_manifest.json").unlink()
    again = json.loads(tell(sim, project, "manifest", str(tool.run_dir), "--json"))
    assert again == before and again["outcome"] == "succeeded"
    page = Path(tell(sim, project, "report", str(tool.run_dir)).strip()).read_text()
    assert "run_resumed" in page and '<div class="timeline">' in page


def test_a_manifest_says_what_was_run_on_what_from_which_state_of_the_code(sim: Simulator, tmp_path: Path) -> None:
    project = tmp_path / "p"
    config = job(project, body=WORK)
    (project / "uv.lock").write_text("pinned")
    git = "git init -q . && git checkout -qB main && git add . && git -c user.name=a -c user.email=b commit -qm c"
    subprocess.run(git, shell=True, cwd=project, check=True)
    ended = run(sim, config)

    manifest, environment = ended.manifest, json.loads(tell(sim, project, "capture-env"))
    assert list(environment) == list(manifest["deploy_metadata"])[:5]
    assert environment["local_git_branch"] == "main" and environment["local_git_dirty"] is False
    assert ended.run_dir is not None
    remote = json.loads((ended.run_dir / "remote_env.json").read_text())
    assert manifest["deploy_metadata"] == {**environment, **remote}
    assert manifest["config_sha256"] == hashlib.sha256(config.read_bytes()).hexdigest()
    assert f"version {manifest['tool']['version']}\n" in tell(sim, tmp_path, "--version")
    assert manifest["image"].startswith("runpod/pytorch:")
    compared = tell(sim, tmp_path, "compare-runs", str(ended.run_dir), str(ended.run_dir))
    assert f"deploy_metadata.remote_uname             {remote['remote_uname']} == " in compared
