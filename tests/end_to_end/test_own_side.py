"""This machine in whole runs: what is wrong with it costs nothing, and what it holds stays here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from tests.support.harness import TOOL, WORK, Simulator, Tool, job, run

CONDA = "OpenSSL version mismatch. Built against 30000020, you have 30300010"


def with_program(folder: Path, name: str, text: str) -> dict[str, str]:
    """A PATH in whose first folder is this program."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_a_broken_ssh_costs_nothing_before_a_run_and_no_second_pod_in_it(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "project", WORK + "sleep 60\n", lifecycle={"on_failure": "delete"})
    broken = with_program(tmp_path / "broken", "ssh", f"echo '{CONDA}' >&2; exit 255")
    before = run(sim, config, env=broken)
    assert (before.code, sim.ledger["pods"]) == (2, [])
    assert f"error: ssh on this machine does not work: {CONDA}" in before.err

    breaks = with_program(
        tmp_path / "breaks", "ssh", f"[ -e {tmp_path}/now ] || exec {real('ssh')} \"$@\"\necho '{CONDA}' >&2; exit 255"
    )
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir", env=breaks)
    tool.await_event(lambda row: row["event"] == "pod_created")
    (tmp_path / "now").touch()
    ended = tool.end()
    assert (ended.code, len(sim.ledger["pods"])) == (2, 1)
    assert all(pod["ended"] for pod in sim.ledger["pods"])
    assert f"ssh on this machine does not work: {CONDA}" in ended.err


def real(program: str) -> str:
    """The path of a program of this machine."""
    return subprocess.run(["sh", "-c", f"command -v {program}"], capture_output=True, text=True).stdout.strip()


def test_a_strangers_project_runs_nothing_here(sim: Simulator, tmp_path: Path) -> None:
    config = job(
        tmp_path / "project",
        WORK,
        staging=[{"label": "code", "source": "./", "destination": "/workspace/code", "respect_gitignore": True}],
        secrets=[{"name": "t", "destination": "/root/t", "env": ["HF_TOKEN"]}],
    )
    project, seen = config.parent, tmp_path / "seen"
    spy = with_program(tmp_path / "bin", "spy", f"env >>{seen}; cat")
    real_git, real_ssh = real("git"), real("ssh")
    with_program(tmp_path / "bin", "git", f'env >>{tmp_path}/git; exec {real_git} "$@"')
    with_program(tmp_path / "bin", "ssh", f'env >>{tmp_path}/ssh; exec {real_ssh} "$@"')
    for arguments in (["init", "-q"], ["config", "core.fsmonitor", f"{tmp_path}/bin/spy"]):
        subprocess.run([real_git, "-C", str(project), *arguments], check=True)
    secret = {**spy, "HF_TOKEN": "hf_much_secret", "GIT_DIR": "/nowhere"}
    for words in (["validate", "--all", "--skip-registry-check"], ["run", "--offline-dry-run"]):
        ended = Tool(sim, *words, "--config", str(config), env=secret).end()
        assert ended.code == 0, ended.err
    assert run(sim, config, env=secret).code == 0
    assert not seen.exists()
    for name in ("git", "ssh"):
        text = (tmp_path / name).read_text()
        assert "HOME=" in text
        assert "hf_much_secret" not in text and sim.exports["RUNPOD_API_KEY"] not in text


def test_a_volume_is_not_emptied_by_staging_to_its_root(sim: Simulator, tmp_path: Path) -> None:
    body = WORK + "ls -a /workspace > /workspace/out/there.txt\n"
    entry = {"label": "code", "source": "./src/", "destination": "/workspace"}
    setup = [{"command": "mkdir -p /workspace/models && head -c 5000 /dev/zero > /workspace/models/a"}]
    config = job(tmp_path / "project", body, staging=[entry], setup=setup, run={"log_path": "/root/job.log"})
    (config.parent / "src").mkdir()
    (config.parent / "src" / "train.py").write_text("pass\n")
    kept = run(sim, config)
    assert kept.code == 0, kept.err
    assert "nothing is deleted there" in kept.err
    assert kept.run_dir and "models" in (kept.run_dir / "out/there.txt").read_text()
    document = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump({**document, "staging": [{**entry, "delete": True}]}))
    emptied = run(sim, config)
    assert emptied.code == 0, emptied.err
    assert "deletes all of the volume at /workspace" in emptied.err
    assert "deleted on the pod, since not here: 1 file, 5.0 kB; the largest: 'models/a' (5000 bytes)" in emptied.err
    assert emptied.run_dir and ".runpod-deploy" in (emptied.run_dir / "out/there.txt").read_text()


def test_a_run_with_closed_streams_succeeds_and_a_moved_project_gets_its_results(
    sim: Simulator, tmp_path: Path
) -> None:
    config = job(
        tmp_path / "project",
        WORK + "sleep 300\n",
        artifacts=[{"label": "out", "remote_path": "/workspace/out/", "local_path": "results"}],
    )
    line = f"exec {TOOL} run --config {config} --detach --leave-to-guard --run-id moving >&- 2>&-"
    assert subprocess.run(["sh", "-c", line], env=sim.env).returncode == 0
    new = config.parent.rename(tmp_path / "elsewhere")
    pulled = Tool(sim, "pull", str(new / "artifacts/runpod/moving")).end()
    assert pulled.code == 0, pulled.err
    assert f"the project was moved: files go to {new}, not to {config.parent}" in pulled.err
    assert (new / "results/result.txt").read_text() == "result\n"
    assert not config.parent.exists()
