"""Rules hold for objects built in Python as they do for files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runpod_deploy.spec import (
    BudgetSpec,
    CommandSpec,
    LifecyclePolicySpec,
    PodSpec,
    RsyncPushSpec,
    RunpodJobSpec,
    RunSpec,
    SecretSpec,
    StorageSpec,
    TelemetrySpec,
)
from runpod_deploy.spec.rules import RuleError

POD = PodSpec(image="x", datacenters=("EU-RO-1",), gpu_order=("NVIDIA A40",))
JOB = RunpodJobSpec(
    name="job",
    pod=POD,
    storage=StorageSpec(mode="ephemeral", volume_gb=10),
    run=RunSpec(script_path="/s", log_path="/l", body="echo"),
)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (CommandSpec, {"command": " \n"}, "command: must be text that is not blank"),
        (CommandSpec, {"command": "x", "timeout_sec": 0}, "timeout_sec: must be greater than 0, got 0"),
        (BudgetSpec, {"cost_cap_usd": -1.0}, "cost_cap_usd: must be greater than 0, got -1.0"),
        (BudgetSpec, {"cost_cap_usd": float("nan")}, "cost_cap_usd: must be greater than 0, got nan"),
        (BudgetSpec, {"cost_cap_usd": float("inf")}, "cost_cap_usd: must be at most 10000000, got inf"),
        (TelemetrySpec, {"sample_interval_sec": 4}, "sample_interval_sec: must be at least 5, got 4"),
        (LifecyclePolicySpec, {"on_failure": "recycle"}, "on_failure: must be one of stop, delete, preserve"),
        (StorageSpec, {"mode": "ephemeral"}, "volume_gb: is required with mode ephemeral"),
        (StorageSpec, {"mode": "network_volume"}, "volume_name: is required with mode network_volume"),
        (StorageSpec, {"mode": "ephemeral", "volume_gb": 1, "volume_mount": "w"}, "volume_mount: must be an absolute"),
        (SecretSpec, {"name": "a", "destination": "/a"}, "must have exactly one of `env`, `env_file` and `file`"),
        (SecretSpec, {"file": "f"}, "destination: is needed for `file`"),
        (SecretSpec, {"name": "a", "destination": "/a", "env": ("A-B",)}, "env: must be a variable name"),
        (SecretSpec, {"name": "a", "destination": "/a", "file": "f", "mode": "888"}, "mode: must be octal digits"),
        (RsyncPushSpec, {"label": "", "source": "a", "destination": "/a"}, "label: must not be empty"),
        (RunSpec, {"script_path": "s", "log_path": "/l", "body": "x"}, "script_path: must be an absolute path"),
    ],
)
def test_broken_rules_raise(kind: type, values: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleError) as caught:
        kind(**values)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"spot": True, "gpu_order": ()}, ["gpu_order", "spot"]),
        ({"cpu": "cpu3c"}, ["cpu"]),
        ({"ports": ("8888/http",), "python_version": "2.7"}, ["python_version", "ports"]),
        ({"env": {"A B": "x"}, "datacenters": ()}, ["datacenters", "env"]),
    ],
)
def test_all_broken_rules_are_told_at_once(changes: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        replace(POD, **changes)
    assert [mistake.field for mistake in caught.value.mistakes] == fields


def test_names_are_unique() -> None:
    entry = RsyncPushSpec(label="a", source=".", destination="/a")
    with pytest.raises(RuleError, match=r"staging\[2\].label: 'a' is already used by staging\[0\]"):
        replace(JOB, staging=(entry, replace(entry, label="b"), entry))


def test_a_rule_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="volume_gb"):
        StorageSpec(mode="ephemeral")


def test_the_time_limit_follows_the_cap() -> None:
    assert BudgetSpec(cost_cap_usd=3.3, assumed_hourly_rate_usd=1.65).timeout_sec == 7200
    assert BudgetSpec(max_runtime_minutes=3).timeout_sec == 180
    assert BudgetSpec(cost_cap_usd=1e6, assumed_hourly_rate_usd=5e-324).timeout_sec > 86400


def test_excludes_come_in_order() -> None:
    entry = RsyncPushSpec(
        label="a", source=".", destination="/a", excludes=("x",), excludes_extra=("y",), excludes_default=True
    )
    assert entry.effective_excludes[0] == ".git/"
    assert entry.effective_excludes[-2:] == ("x", "y")
