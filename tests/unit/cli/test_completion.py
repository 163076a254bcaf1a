"""What a shell offers after Tab."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from runpod_deploy.cli import cli
from runpod_deploy.config.settings import cache_dir

JOB = "variables:\n  seed: '0'\n  size: '1'\n  lr: '2'\n"


def offered(words: list[str], incomplete: str) -> list[str]:
    """The values for the word that is not complete yet."""
    shell = ShellComplete(cli, {}, "runpod-deploy", "_COMPLETE")
    return [item.value for item in shell.get_completions(words, incomplete)]


def test_configs_and_their_variables_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(JOB)
    (tmp_path / "notes.txt").write_text("")
    assert offered(["run"], "") == ["job.yaml"] and offered(["run"], "no") == ["no"]
    assert offered(["run", "job.yaml", "--var"], "s") == ["seed=", "size="]
    assert offered(["run", "--config", "job.yaml", "--var"], "l") == ["lr="]
    assert offered(["run", "absent.yaml", "--var"], "") == offered(["run", "--var"], "") == []


def test_gpus_and_datacenters_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stored = cache_dir() / "account"
    stored.mkdir(parents=True)
    (stored / "gpus-secure-1.json").write_text('{"rows": [{"dataCenterId": "US-KS-2"}, {"dataCenterId": "EU-SE-1"}]}')
    (tmp_path / "job.yaml").write_text("pod:\n  datacenters: [EU-RO-1]\n")
    assert "NVIDIA L40S" in offered(["run", "--gpu-id"], "l40")
    assert offered(["run", "job.yaml", "--datacenter-id"], "eu") == ["EU-RO-1", "EU-SE-1"]
    assert offered(["gpu-list", "--datacenter"], "US") == ["US-KS-2"]
