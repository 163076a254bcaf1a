"""The commands around a config, called as from a shell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runpod_deploy.cli import main

from .conftest import Write
from .test_mistakes import EIGHT


def call(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command line."""
    code = main(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_valid_file_is_one_line(plain: dict[str, Any], write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    plain["name"] = "x-{seed}"
    path = write(plain)
    argv = ["validate", "--config", str(path), "--var", "seed=1"]
    assert call(capsys, *argv) == (0, f"ok: {path} schema_version=2 job=x-{{seed}}\n", "")
    assert call(capsys, *argv, "-q") == (0, "", "")


@pytest.mark.parametrize("command", ["validate", "run", "manifest-summary"])
def test_telling_more_and_telling_less_exclude_each_other(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, err = call(capsys, command, "-v", "-q")
    assert (code, out) == (2, "")
    assert "-v and -q exclude each other" in err


def test_eight_mistakes_are_eight_lines_and_no_traceback(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(EIGHT)
    code, out, err = call(capsys, "validate", "--config", str(path))
    assert (code, out) == (2, "")
    assert len([line for line in err.splitlines() if line.startswith(f"{path}:")]) == 8
    assert "Traceback" not in err


def test_findings_as_data(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(EIGHT)
    code, out, _ = call(capsys, "validate", "--config", str(path), "--json")
    report = json.loads(out)
    assert (code, report["ok"], len(report["findings"])) == (2, False, 8)
    assert report["findings"][1] == {
        "message": "must be text, got 3",
        "path": "pod.image",
        "source": str(path),
        "line": 4,
        "level": "error",
        "hint": 'put it in quotes: "3"',
    }


def test_a_file_that_is_none_is_data_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "validate", "--config", str(tmp_path / "none.yaml"), "--json")
    assert code == 2
    assert json.loads(out)["ok"] is False


@pytest.mark.parametrize(
    "argv",
    [
        ["validate"],
        ["validate", "--config", "x.yaml", "--var", "novalue"],
        ["validate", "--config", "x.yaml", "--nonsense"],
        ["estimate"],
        ["config", "show"],
        ["config", "nonsense"],
    ],
)
def test_wrong_usage_is_exit_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, *argv)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_local_checks_are_only_made_when_asked(
    plain: dict[str, Any], write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    plain["local"] = {"required_paths": ["gone"]}
    path = str(write(plain))
    assert call(capsys, "validate", "--config", path)[0] == 0
    code, _, err = call(capsys, "validate", "--config", path, "--check-local")
    assert code == 2
    assert "local.required_paths[0]: gone does not exist" in err


def test_everything_wrong_is_told_at_once(
    plain: dict[str, Any], write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    plain["staging"] = [
        {"label": "gone", "source": "gone/", "destination": "/workspace/a"},
        {"label": "typo", "source": "{unknown}/", "destination": "/workspace/b"},
    ]
    plain["secrets"] = [{"env": ["NOT_SET_HERE"]}]
    plain["budget"] = {"cost_cap_usd": -1.0}
    code, _, err = call(capsys, "validate", "--config", str(write(plain)), "--check-local")
    assert code == 2
    assert [line.split(": ")[1] for line in err.splitlines() if "mistakes" not in line] == [
        "staging[0].source",
        "staging[1].source",
        "secrets[0].env[0]",
        "budget.cost_cap_usd",
    ]


def test_scans_warn_and_never_fail(plain: dict[str, Any], write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    plain["staging"] = [{"label": "repo", "source": "./", "destination": "/workspace/repo"}]
    write("TOKEN=x", "project/.env")
    code, out, err = call(capsys, "validate", "--config", str(write(plain)), "--scan-consumer", "-q")
    assert (code, out) == (0, "")
    assert ".env looks like a secret and would be uploaded; exclude it, and send it as a secret:" in err


def test_without_a_key_all_is_only_a_note(
    plain: dict[str, Any], write: Write, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    path = str(write(plain))
    code, _, err = call(capsys, "validate", "--config", path, "--all", "--skip-registry-check")
    assert code == 0
    assert "note: GPUs and stock were not checked, because there is no API key" in err
    code, _, err = call(capsys, "validate", "--config", path, "--check-availability")
    assert code == 4
    assert "hint: Set RUNPOD_API_KEY" in err


def test_the_schema_is_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "schema")
    jsonschema.Draft202012Validator.check_schema(json.loads(out))
    assert code == 0


def test_show_tells_values_and_where_they_come_from(
    plain: dict[str, Any], write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    plain["variables"] = {"seed": "1", "out": "/o-{seed}"}
    path = write(plain)
    argv = ["config", "show", "--config", str(path), "--var", "seed=7"]
    code, out, _ = call(capsys, *argv, "--no-defaults")
    lines = out.splitlines()
    assert code == 0
    assert f'name = "tune"  # {path}:2' in lines
    assert 'variables.seed = "7"  # --var' in lines
    assert any(line.startswith('variables.out = "/o-7"  # ') for line in lines)
    assert not any(line.endswith("# default") for line in lines)
    shown = json.loads(call(capsys, *argv, "--json")[1])
    assert shown["budget.cost_cap_usd"] == {"value": 10.0, "origin": "default"}


def test_capture_env_is_pure_json_with_its_five_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "uv.lock").write_text("x")
    code, out, err = call(capsys, "capture-env", "--project-root", str(tmp_path))
    facts = json.loads(out)
    assert code == 0
    assert list(facts) == [
        "local_git_sha",
        "local_git_dirty",
        "local_git_branch",
        "payload_lockfile",
        "payload_lockfile_sha256",
    ]
    assert (facts["local_git_sha"], facts["payload_lockfile"]) == (None, "uv.lock")
    assert err == "warning: unknown: local_git_sha, local_git_dirty, local_git_branch\n"


def test_reading_a_config_imports_no_client_and_no_terminal(plain: dict[str, Any], write: Write) -> None:
    code = (
        "import sys; from pathlib import Path; from runpod_deploy.config import load; load(Path(sys.argv[1]));"
        "print(*sorted({'urllib3', 'rich', 'asyncssh', 'runpod_deploy.cloud.runpod'} & set(sys.modules)))"
    )
    argv = [sys.executable, "-c", code, str(write(plain))]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip() == ""
