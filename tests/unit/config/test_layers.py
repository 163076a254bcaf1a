"""Base files, flags, and who wins."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.config import examine, load
from runpod_deploy.errors import ConfigError

from .conftest import Write


def test_a_base_holds_where_the_file_is_silent(plain: dict[str, Any], write: Write) -> None:
    base = write({**plain, "budget": {"cost_cap_usd": 3, "poll_interval_sec": 5}}, "shared/base.yaml")
    path = write(
        {
            "extends": "../shared/base.yaml",
            "name": "upper",
            "pod": {"gpu_order": ["NVIDIA A40"]},
            "budget": {"cost_cap_usd": 4},
        }
    )
    draft = load(path)
    assert (draft.name, draft.job.pod.gpu_order, draft.job.pod.image) == ("upper", ("NVIDIA A40",), "ghcr.io/x/y:1")
    assert (draft.job.budget.cost_cap_usd, draft.job.budget.poll_interval_sec) == (4, 5)
    assert draft.project_root == path.parent
    origins = draft.trial.origins
    line = base.read_text().splitlines().index("  poll_interval_sec: 5") + 1
    assert origins["budget.poll_interval_sec"] == f"{path.parent}/../shared/base.yaml:{line}"
    assert origins["budget.cost_cap_usd"] == f"{path}:7"


def test_the_hash_covers_the_base(plain: dict[str, Any], write: Write) -> None:
    base = write(plain, "project/base.yaml")
    path = write({"extends": "base.yaml"})
    before = load(path).config_sha256
    base.write_text(base.read_text() + "# changed\n")
    assert load(path).config_sha256 != before


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ({"extends": "third.yaml"}, "a base cannot have a base"),
        ("- a\n", ":1: must be a mapping, got a list"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_bad_base_is_refused(write: Write, base: Any, words: str) -> None:
    write(base, "project/base.yaml")
    with pytest.raises(ConfigError) as caught:
        load(write({"extends": "base.yaml", "name": "x"}))
    assert words in caught.value.message
    assert "base.yaml" in caught.value.message


def test_a_file_that_extends_itself_or_nothing_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="a base cannot have a base"):
        load(write({"extends": "job.yaml"}))
    with pytest.raises(ConfigError, match="no such file"):
        load(write({"extends": "none.yaml"}))


def test_flags_win_and_are_remembered(plain: dict[str, Any], write: Write) -> None:
    plain["budget"] = {"cost_cap_usd": 9.0}
    overrides = {"budget.cost_cap_usd": 2.0, "lifecycle.on_success": "stop", "budget.max_gpu_price": None}
    draft = load(write(plain), overrides=overrides)
    assert (draft.job.budget.cost_cap_usd, draft.job.lifecycle.on_success) == (2.0, "stop")
    assert draft.trial.origins["budget.cost_cap_usd"] == "--cost-cap-usd"
    assert draft.trial.origins["lifecycle.on_success"] == "--on-success"
    assert draft.trial.origins["budget.max_gpu_price"] == "default"


def test_a_flag_can_break_the_budget(plain: dict[str, Any], write: Write) -> None:
    plain["budget"] = {"max_runtime_minutes": 60, "assumed_hourly_rate_usd": 1.0}
    with pytest.raises(ConfigError, match=r"cost 1\.00 USD, more than the cap of 0\.5 USD; allow 29 minutes"):
        load(write(plain), overrides={"budget.cost_cap_usd": 0.5})


def test_anything_else_where_a_section_should_be_is_still_told(plain: dict[str, Any], write: Write) -> None:
    plain["budget"] = 5
    with pytest.raises(ConfigError, match="budget: must be a mapping, got 5"):
        load(write(plain), overrides={"budget.cost_cap_usd": 0.5})


def test_rendering_knows_run_and_stamp(plain: dict[str, Any], write: Write) -> None:
    plain["run"]["body"] = "echo {run_id} {run_dir} {config_dir} {project_root} {volume_mount} {job_name}"
    path = write(plain)
    at = datetime(2026, 1, 2, tzinfo=UTC)
    spec = load(path).render(stamp="20260102T000000Z-2", run_dir=Path("/r"), created_at=at)
    assert spec.run_id == "tune-20260102T000000Z-2"
    assert spec.job.run_id_prefix == "tune"
    assert spec.job.run.body == f"echo {spec.run_id} /r {path.parent} {path.parent} /workspace tune"
    assert (spec.config_path, spec.created_at) == (path, at)


def test_built_in_names_can_be_hidden_but_not_the_identity(plain: dict[str, Any], write: Write) -> None:
    plain["variables"] = {"volume_mount": "/mine", "run_id": "mine"}
    plain["run"]["body"] = "{volume_mount} {run_id}"
    draft, findings = examine(write(plain))
    assert draft.trial.job.run.body == "/mine tune-00000000T000000Z"
    assert draft.trial.job.storage.volume_mount == "/workspace"
    assert [f.message for f in findings] == ["hides a built-in name", "is built in; this value is not used"]


def test_project_root_may_be_a_template(plain: dict[str, Any], write: Write) -> None:
    plain["local"] = {"project_root": "{config_dir}/{part}"}
    plain["variables"] = {"part": "sub", "unused": "{run_id}"}
    path = write(plain)
    assert load(path, cli_variables={"part": "other"}).project_root == path.parent / "other"


def test_relative_paths_to_the_file_are_made_absolute(
    plain: dict[str, Any], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(plain)
    monkeypatch.chdir(path.parent)
    draft = load(Path("job.yaml"))
    assert (draft.path, draft.project_root) == (path, path.parent)
