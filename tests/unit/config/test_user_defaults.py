"""The user's own defaults: below every config, named as the origin, and never in contradiction to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.config import load
from runpod_deploy.errors import ConfigError

from .conftest import Write


@pytest.fixture
def defaults(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the defaults in the test's own home."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("RUNPOD_DEPLOY_CONFIG", raising=False)
    path = home / ".config" / "runpod-deploy" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_a_default_holds_where_the_config_is_silent(plain: dict[str, Any], write: Write, defaults: Path) -> None:
    defaults.write_text(
        'on_end = "true"\n[budget]\ncost_cap_usd = 3\nmax_gpu_price = 0.5\n[lifecycle]\non_failure = "delete"\n'
    )
    path = write({**plain, "budget": {"cost_cap_usd": 4}})
    draft = load(path, overrides={"lifecycle.on_failure": "preserve"})
    job = draft.job
    assert (job.budget.cost_cap_usd, job.budget.max_gpu_price, job.on_end) == (4, 0.5, "true")
    assert job.lifecycle.on_failure == "preserve"
    origins = draft.trial.origins
    assert origins["budget.max_gpu_price"] == f"{defaults}:4" and origins["on_end"] == f"{defaults}:1"
    assert origins["budget.cost_cap_usd"].startswith(str(path)) and origins["lifecycle.on_failure"] == "--on-failure"


def test_the_hash_covers_the_defaults(plain: dict[str, Any], write: Write, defaults: Path) -> None:
    path = write(plain)
    before = load(path).config_sha256
    defaults.write_text("[budget]\ncost_cap_usd = 3\n")
    assert load(path).config_sha256 != before


def test_a_default_contradicts_no_config(plain: dict[str, Any], write: Write, defaults: Path) -> None:
    defaults.write_text('[lifecycle]\non_failure = "delete"\n[pod]\ngpu_order = ["NVIDIA A40"]\n')
    pod = {key: value for key, value in plain["pod"].items() if key != "gpu_order"}
    draft = load(write({**plain, "stop": {"on_failure": True}, "pod": {**pod, "cpu": "cpu3c"}}))
    assert draft.job.lifecycle.on_failure == "stop" and draft.job.pod.gpu_order == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[budgte]\nx = 1\n", r":1: budgte: has no default here"),
        ("[budget]\ncost_cap = 1\n", r":2: budget.cost_cap: "),
        ("budget = 3\n", "must be a table"),
        ("[budget]\ncost_cap_usd = 2026-01-01\n", "must be a table of texts"),
        ("[budget]\ncost_cap_usd = inf\n", "must be a table of texts"),
        ("on_end = [1]\n", ":1: on_end"),
        ("[budget\n", "cannot be read as TOML"),
    ],
)
def test_a_mistake_names_the_file(plain: dict[str, Any], write: Write, defaults: Path, text: str, words: str) -> None:
    defaults.write_text(text)
    with pytest.raises(ConfigError, match=f"config.toml.*{words}"):
        load(write(plain))


def test_another_file_or_none(
    plain: dict[str, Any], write: Write, defaults: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults.write_text("[budget]\ncost_cap_usd = 3\n")
    (tmp_path / "other.toml").write_text("[budget]\ncost_cap_usd = 7\n")
    monkeypatch.setenv("RUNPOD_DEPLOY_CONFIG", str(tmp_path / "other.toml"))
    assert load(write(plain)).job.budget.cost_cap_usd == 7
    monkeypatch.setenv("RUNPOD_DEPLOY_CONFIG", "")
    assert load(write(plain)).job.budget.cost_cap_usd == 10
