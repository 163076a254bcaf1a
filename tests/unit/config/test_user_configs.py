"""Nineteen configs with the traps of real ones: all are accepted and rendered as their authors meant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runpod_deploy.config import Draft, load
from runpod_deploy.config.json_schema import editor_schema
from runpod_deploy.spec import Spec
from runpod_deploy.spec.json import spec_from_json, spec_to_json

USER_CONFIGS = sorted((Path(__file__).parent / "user_configs").glob("*.yaml"))
SCHEMA = editor_schema()
STAMP = "20260102T030405Z"
RUN_DIR = Path("/runs") / STAMP
ROOT = Path(__file__).parent / "user_configs"

# What replaces what in the body; all else must stay as it is written.
BODY: dict[str, list[tuple[str, str]]] = {
    "02_seeds": [("{out_dir}", "/workspace/vit-s7/outputs/vit"), ("s{seed}", "s7"), ("seed={seed}", "seed=7")],
    "03_awk": [("c={col}", "c=2")],
    "04_fstrings": [('"seed": {seed}', '"seed": 3'), ('"lr": {lr}', '"lr": 1e-4')],
    "05_quotes": [("{msg}", 'it\'s "quoted" $HOME `date` \\ end')],
    "06_utf8": [("{größe}", "42 µm"), ("{ort}", "Zürich/東京")],
    "08_single_file": [("{split}", "dev")],
    "09_network_volume": [
        ("{volume_mount}", "/workspace"),
        ("{run_id}", f"on-volume-{STAMP}"),
        ("{job_name}", "on-volume"),
    ],
    "14_remote_env": [("{repo}", "/workspace/repo")],
    "16_anchors": [("{repo}", "/workspace/repo")],
    "17_predictions": [("{preds}", "/workspace/preds/base/test"), ('"{split}', '"test')],
    "18_foreign_braces": [(' {"x": {x}} ', ' {"x": 7} '), (" {x}{x} ", " 77 "), ("s//{x}/", "s//7/")],
    "19_everything": [("{tag}", "v1.0")],
}

# Other values, by dotted path, as they must be after rendering.
VALUES: dict[str, dict[str, Any]] = {
    "01_hello": {"run_id": f"hello-{STAMP}", "job.lifecycle.on_success": "delete", "job.schema_version": 2},
    "02_seeds": {
        "run_id": f"sweep-vit-s7-{STAMP}",
        "job.name": "sweep-vit-s7",
        "job.state_file": "~/.runpod-vit-7",
        "job.staging.0.source": ".",
        "job.staging.0.destination": "/workspace/vit-s7/",
        "job.staging.0.excludes.1": "data/vit/*.tmp",
        "job.artifacts.0.label": "out-7",
        "job.artifacts.0.remote_path": "/workspace/vit-s7/outputs/vit/",
        "job.artifacts.0.local_path": "results/vit/s7",
        "variables.out_dir": "/workspace/vit-s7/outputs/vit",
    },
    "06_utf8": {
        "run_id": f"übung-größe-{STAMP}",
        "job.run.success_marker": "✓ fertig",
        "job.artifacts.0.local_path": "ergebnisse/Zürich/東京/",
    },
    "07_dot_source": {"project_root": ROOT.parent, "job.staging.0.delete": False},
    "08_single_file": {
        "project_root": ROOT,
        "job.local.required_paths.2": "data/dev/",
        "job.local.required_paths.3": f"{ROOT}/pyproject.toml",
    },
    "09_network_volume": {"job.run.script_path": f"/workspace/jobs/on-volume-{STAMP}.sh"},
    "10_recycle": {"job.state_file": ".runpod-dev-loop.json", "job.lifecycle.on_success": "recycle"},
    "11_legacy_stop": {"job.lifecycle.on_success": "delete", "job.lifecycle.on_failure": "preserve"},
    "12_legacy_nulls": {
        "run_id": f"nulls-{STAMP}",
        "job.lifecycle.on_success": "preserve",
        "job.lifecycle.on_failure": "stop",
        "job.staging": (),
    },
    "13_secrets": {
        "job.secrets.0.destination": "/root/private/tokens.env",
        "job.secrets.1.file": "~/keys/secrets.json",
        "job.secrets.1.mode": "400",
    },
    "14_remote_env": {
        "job.remote_env.source_files.0": "/workspace/repo/.env",
        "job.remote_env.exports.PYTHONPATH": "/workspace/repo/src",
        "job.remote_env.exports.NOTE": "spaces, 'single' and \"double\" $HOME",
        "job.preflight.0.command": "cd /workspace/repo\n"
        "python3 -c \"import os; print(os.environ['UV_LINK_MODE'], f'{os.getpid()}')\"\n",
    },
    "15_pinned": {"job.pod.python_version": "3.12.4"},
    "16_anchors": {
        "job.remote_env.exports": {"repo": "/workspace/repo", "data": "overridden"},
        "job.staging.1.label": "tests",
        "job.staging.1.destination": "/workspace/repo",
        "job.staging.1.excludes": ("*.pyc", "*.tmp"),
    },
    "17_predictions": {
        "job.artifacts.0.local_path": "preds/base/test",
        "job.artifacts.1.label": f"log of predict-base-{STAMP}",
        "job.artifacts.1.local_path": f"{RUN_DIR}/logs/",
        "job.artifacts.2.local_path": f"{ROOT}/ckpt",
        "job.artifacts.2.excludes.0": "*.base.tmp",
    },
    "19_everything": {
        "run_id": f"100%-v1.0-{STAMP}",
        "job.pod.image": "ghcr.io/acme/img:v1.0",
        "job.pod.env.TOKEN": "{{ RUNPOD_SECRET_hf }}",
        "job.pod.env.JSON": '{"a": {b}}',
        "job.run.script_path": "/v1.0/run.sh",
        "job.run.failure_markers": (),
        "job.setup.0.command": "echo folded into v1.0\ntwo lines\n",
    },
}


def draft_of(path: Path) -> Draft:
    """The config, with the variables that one of them is run with."""
    variables = {"seed": "7", "backbone": "vit"} if path.stem == "02_seeds" else {}
    return load(path, cli_variables=variables)


def rendered(path: Path) -> Spec:
    return draft_of(path).render(stamp=STAMP, run_dir=RUN_DIR, created_at=datetime(2026, 1, 2, tzinfo=UTC))


def value_at(spec: Spec, path: str) -> Any:
    value: Any = spec
    for part in path.split("."):
        if isinstance(value, tuple):
            value = value[int(part)]
        else:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


def test_there_are_nineteen() -> None:
    assert len(USER_CONFIGS) == 19
    assert {*BODY, *VALUES} <= {path.stem for path in USER_CONFIGS}


@pytest.mark.parametrize("path", USER_CONFIGS, ids=lambda path: path.stem)
def test_the_body_is_what_its_author_wrote(path: Path) -> None:
    written = yaml.safe_load(path.read_text(encoding="utf-8"))["run"]["body"]
    expected = written
    for before, after in BODY.get(path.stem, []):
        assert before in expected
        expected = expected.replace(before, after)
    assert rendered(path).job.run.body.encode() == expected.encode()


@pytest.mark.parametrize("path", USER_CONFIGS, ids=lambda path: path.stem)
def test_values_are_rendered(path: Path) -> None:
    spec = rendered(path)
    expected = VALUES.get(path.stem, {})
    assert {place: value_at(spec, place) for place in expected} == expected


@pytest.mark.parametrize("path", USER_CONFIGS, ids=lambda path: path.stem)
def test_specs_survive_their_file(path: Path) -> None:
    spec = rendered(path)
    assert spec_from_json(spec_to_json(spec)) == spec


@pytest.mark.parametrize("path", USER_CONFIGS, ids=lambda path: path.stem)
def test_editors_accept_them(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), SCHEMA)


def test_legacy_files_are_warned_about_once() -> None:
    (warning,) = draft_of(ROOT / "11_legacy_stop.yaml").findings
    assert warning.level == "warning"
    assert "[deprecated]" in warning.message
    assert warning.hint == "write lifecycle: {on_success: delete, on_failure: preserve}"


def test_variables_of_the_command_line_reach_what_is_made_of_them() -> None:
    spec = rendered(ROOT / "02_seeds.yaml")
    assert spec.origins["variables.seed"] == "--var"
    assert spec.origins["variables.out_dir"].endswith("02_seeds.yaml:7")
    assert spec.origins["budget.pull_grace_sec"] == "default"
