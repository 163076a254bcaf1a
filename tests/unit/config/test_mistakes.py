"""What users read when a config is wrong: every mistake at once, each with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.config import examine, load
from runpod_deploy.errors import ConfigError

from .conftest import Write

EIGHT = """\
schema_version: 2
name: tune-{sead}
pod:
  image: 3
  datacentres: [EU-SE-1]
  gpu_order:
    - NVIDIA L40S
    - 7
  spot: true
storage:
  mode: ephemeral
variables:
  seed: 42
run:
  script_path: "/workspace/x.sh"
  log_path: "/workspace/x.log"
  body: echo
lifecycle: {on_failure: recycle}
"""


def complaint(path: Path, **more: Any) -> str:
    """The message of the error that loading the file raises."""
    with pytest.raises(ConfigError) as caught:
        load(path, **more)
    assert caught.value.exit_code == 2
    return caught.value.message


def test_eight_mistakes_are_eight_lines_in_file_order(write: Write) -> None:
    path = write(EIGHT)
    header, *lines = complaint(path).splitlines()
    assert header == f"{path}: 8 mistakes"
    assert lines == [
        f"{path}:2: name: unknown name {{sead}}; did you mean {{seed}}?",
        f'{path}:4: pod.image: must be text, got 3; put it in quotes: "3"',
        f"{path}:5: pod.datacentres: unknown key; did you mean `datacenters`?",
        f'{path}:8: pod.gpu_order[1]: must be text, got 7; put it in quotes: "7"',
        f"{path}:9: pod.spot: must be false: RunPod no longer sells spot pods; remove it",
        f"{path}:10: storage.volume_gb: is required with mode ephemeral",
        f'{path}:13: variables.seed: must be text, got 42; put it in quotes: "42"',
        f"{path}:18: lifecycle.on_failure: must be stop, delete or preserve, got 'recycle'",
    ]


# A section or field, a wrong value for it, and the end of the one line that tells so.
WRONG: list[tuple[str, Any, str]] = [
    ("name", "", "name: must not be empty"),
    ("name", None, "name: must be text, got nothing"),
    ("name", "a\nb", "name: must be one line of plain text, got 'a\\nb'"),
    ("schema_version", 1, "schema_version: version 1 is not supported; set schema_version: 2 and "),
    ("schema_version", "2", "schema_version: must be 2, got '2'"),
    ("pod.spot", True, "pod.spot: must be false: RunPod no longer sells spot pods; remove it"),
    ("pod.image", "", "pod.image: must not be empty"),
    ("pod.datacenters", [], "pod.datacenters: must not be empty"),
    ("pod.datacenters", "EU-SE-1", "pod.datacenters: must be a list, got 'EU-SE-1'; start each entry with `- `"),
    ("pod.gpu_order", [], "pod.gpu_order: must name at least one GPU"),
    ("pod.cpu", "cpu3c", "pod.cpu: cannot be combined with gpu_order: a pod has GPUs or is a CPU pod"),
    ("pod.cloud_type", "secure", "pod.cloud_type: must be SECURE or COMMUNITY, got 'secure'; did you mean `SECURE`?"),
    ("pod.ports", ["8888/http"], "pod.ports: must contain 22/tcp: the pod is reached over SSH"),
    ("pod.ports", ["22/tcp", "ssh"], "pod.ports[1]: must be a port such as 22/tcp or 8888/http, got 'ssh'"),
    ("pod.gpu_count", 0, "pod.gpu_count: must be greater than 0, got 0"),
    ("pod.gpu_count", True, "pod.gpu_count: must be a whole number, got true"),
    ("pod.container_disk_gb", 10**12, "pod.container_disk_gb: must be at most 10,000,000, got 1000000000000"),
    ("pod.python_version", "3.12rc1", "pod.python_version: must be a version such as 3.12 or 3.12.4, got '3.12rc1'"),
    ("pod.python_version", 3.12, 'pod.python_version: must be text, got 3.12; put it in quotes: "3.12"'),
    ("pod.env", {"A B": "x"}, "pod.env.A B: the name 'A B' must be a variable name of letters, digits and _"),
    ("pod.min_cuda_version", "12", "pod.min_cuda_version: must be a version such as 12.8, got '12'"),
    ("storage.mode", "disk", "storage.mode: must be network_volume or ephemeral, got 'disk'"),
    ("storage.volume_mount", "workspace", "storage.volume_mount: must be an absolute path on the pod, got 'workspace'"),
    ("storage.volume_gb", None, "storage.volume_gb: is required with mode ephemeral"),
    ("storage", {"mode": "network_volume"}, "storage.volume_name: is required with mode network_volume"),
    ("storage", None, "storage: must be a mapping, got nothing"),
    ("ssh", None, "ssh: must be a mapping, got nothing"),
    ("budget", {"cost_cap_usd": 0}, "budget.cost_cap_usd: must be greater than 0, got 0"),
    ("budget", {"cost_cap_usd": "5"}, "budget.cost_cap_usd: must be a number, got '5'"),
    ("budget", {"max_runtime_minutes": 1.5}, "budget.max_runtime_minutes: must be a whole number, got 1.5"),
    (
        "budget",
        {"cost_cap_usd": 1, "max_runtime_minutes": 60, "assumed_hourly_rate_usd": 2},
        "budget.max_runtime_minutes: 60 minutes at 2 USD/h cost 2.00 USD, more than the cap of 1 USD; "
        "allow 29 minutes, or raise cost_cap_usd",
    ),
    ("remote_env", {"exports": {"1A": "x"}}, "remote_env.exports.1A: the name '1A' must be a variable name of "),
    ("setup", "apt install", "setup: must be a list, got 'apt install'; start each entry with `- `"),
    ("setup", ["apt-get update"], "setup[0]: must be a mapping, got 'apt-get update'; write `- command: ...`"),
    ("staging", {"label": "a"}, "staging: must be a list, got a mapping; start each entry with `- `"),
    ("pod.gpu", "A40", "pod.gpu: unknown key; did you mean `gpu_order`?"),
    ("setup", [{"command": " "}], "setup[0].command: must be text that is not blank, got ' '"),
    ("setup", [{"command": "x", "timeout": 5}], "setup[0].timeout: unknown key; did you mean `timeout_sec`?"),
    ("staging", [{"label": "a", "source": "."}], "staging[0].destination: is required"),
    (
        "secrets",
        [{"name": "a", "destination": "/a"}],
        "secrets[0]: must have exactly one of `env`, `env_file` and `file`",
    ),
    (
        "secrets",
        [{"name": "a", "destination": "/a", "env": ["A"], "mode": 600}],
        'secrets[0].mode: must be text, got 600; put it in quotes: "600"',
    ),
    (
        "secrets",
        [{"name": "a", "destination": "a", "env": ["A"]}],
        "secrets[0].destination: must be an absolute path on the pod or start with a {variable}, got 'a'",
    ),
    ("run.script_path", "{name}", "run.script_path: unknown name {name}; did you mean {job_name}?"),
    (
        "run.script_path",
        "{job_name}/x",
        "run.script_path: must be an absolute path on the pod or start with a {variable}, got 'tune/x'",
    ),
    ("run.body", None, "run.body: must be text, got nothing"),
    ("lifecycle", {"on_success": True}, "lifecycle.on_success: must be preserve, stop, delete or recycle, got true"),
    ("telemetry", {"sample_interval_sec": 4}, "telemetry.sample_interval_sec: must be at least 5, got 4"),
    ("variables", {"my-seed": "x"}, "variables.my-seed: the name 'my-seed' must be a name of letters, digits and _"),
    ("variables", {"a": "{b}", "b": "{a}"}, "variables.a: refers to itself: a -> b -> a"),
    ("extends", 5, "extends: must be the path of one YAML file"),
    ("local", {"project_root": "~"}, "local.project_root: is your home folder, all of which would be uploaded; "),
    ("local", {"project_root": "{nowhere}"}, "local.project_root: unknown name {nowhere}"),
    ("artefacts", [], "artefacts: unknown key; did you mean `artifacts`?"),
]


@pytest.mark.parametrize(("place", "value", "end"), WRONG, ids=[f"{p}={str(v)[:20]}" for p, v, _ in WRONG])
def test_one_mistake_is_one_clear_line(plain: dict[str, Any], write: Write, place: str, value: Any, end: str) -> None:
    section, _, field = place.partition(".")
    if field:
        plain[section][field] = value
    else:
        plain[section] = value
    message = complaint(write(plain))
    assert message.count("\n") == 0
    assert f": {end}" in message


def test_duplicate_keys_and_labels_are_mistakes(plain: dict[str, Any], write: Write) -> None:
    entry = {"label": "out", "remote_path": "/out", "local_path": "out"}
    plain["artifacts"] = [entry, dict(entry)]
    path = write(plain)
    path.write_text(path.read_text() + "name: again\n")
    assert "artifacts[1].label: 'out' is already used by artifacts[0]" in complaint(path)
    assert "name: is given twice; the first is on line" in complaint(path)


def test_a_network_volume_is_refused_on_the_community_cloud(plain: dict[str, Any], write: Write) -> None:
    plain["pod"]["cloud_type"] = "COMMUNITY"
    plain["storage"] = {"mode": "network_volume", "volume_name": "data"}
    assert "pod.cloud_type: must be SECURE" in complaint(write(plain))


def test_a_limit_that_costs_exactly_the_cap_is_fine(plain: dict[str, Any], write: Write) -> None:
    plain["budget"] = {"cost_cap_usd": 1.1, "max_runtime_minutes": 60, "assumed_hourly_rate_usd": 1.1}
    assert load(write(plain)).job.budget.timeout_sec == 3600


def test_a_wrong_flag_is_named_as_a_flag(plain: dict[str, Any], write: Write) -> None:
    message = complaint(write(plain), overrides={"budget.cost_cap_usd": -1.0, "budget.max_gpu_price": None})
    assert message == "--cost-cap-usd: budget.cost_cap_usd: must be greater than 0, got -1.0"


def test_mistakes_in_a_base_name_the_base(plain: dict[str, Any], write: Write) -> None:
    base = write({"pod": {**plain["pod"], "gpu_count": 0}}, "project/base.yaml")
    path = write({**plain, "extends": "base.yaml", "pod": {"image": "x", "datacenter": ["A"]}})
    text = complaint(path)
    assert f"{base}:7: pod.gpu_count: must be greater than 0, got 0" in text
    assert f"{path}:5: pod.datacenter: unknown key; did you mean `datacenters`?" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ":1: must be a mapping of `key: value` lines, got an empty file"),
        ("- a\n- b\n", ":1: must be a mapping of `key: value` lines, got a list"),
        ("just words", ":1: must be a mapping of `key: value` lines, got a single value"),
        ("a: [1, 2\nb: 3\n", ":2: not valid YAML: "),
        ("name: a: b\n", ":1: not valid YAML: mapping values are not allowed"),
        ("name x\npod:\n  a: b\n", ":2: not valid YAML: mapping values are not allowed"),
        (
            'name: "x\npod:\n',
            "not valid YAML: found unexpected end of stream (while scanning a quoted scalar from line 1)",
        ),
        ("a: 'x\n", "not valid YAML"),
        ("a: !!python/object/apply:os.system [ls]\n", "a: "),
        ("a: *missing\n", "not valid YAML: found undefined alias"),
        ("--- {}\n--- {}\n", "not valid YAML"),
        ("a: \x07b\n", "not valid YAML"),
        ("&a [*a]\n", "aliases expand to too many values"),
        ("a: " + "[" * 500 + "]" * 500, "is nested too deeply"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
            "aliases expand to too many values",
        ),
        ("name: &n " + "x" * 900_000 + "\nrest: [*n, *n, *n, *n, *n, *n]\n", "aliases expand to too many values"),
        ("name: " + "x" * 1_000_000, "is larger than 1,000,000 bytes"),
    ],
)
def test_what_is_no_config_at_all_is_refused(write: Write, text: str, words: str) -> None:
    assert words in complaint(write(text))


def test_a_tab_is_explained(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write("name: x\npod:\n\timage: y\n"))
    assert ":3: not valid YAML" in caught.value.message
    assert caught.value.hint == "Indent with spaces: YAML does not allow tabs there."


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert complaint(tmp_path / "none.yaml").endswith("none.yaml: no such file")
    assert complaint(tmp_path).endswith(": is a folder")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"name: a\nimage: \xff\xfe\n")
    assert complaint(path) == f"{path}:2: is not UTF-8 text"


def test_dates_and_octal_numbers_are_explained(plain: dict[str, Any], write: Write) -> None:
    path = write(plain)
    path.write_text(
        path.read_text()
        + "variables: {day: 2026-01-31, huge: 1"
        + "0" * 5000
        + "}\n"
        + "secrets: [{name: a, destination: /a, env: [A], mode: 0600}]\n"
    )
    text = complaint(path)
    assert 'variables.day: is read as a date; put it in quotes: "2026-01-31"' in text
    assert 'secrets[0].mode: must be text, got 384; put it in quotes: "0600"' in text
    assert "variables.huge: '1000" in text


def test_shell_text_is_only_warned_about_and_by_its_own_line(plain: dict[str, Any], write: Write) -> None:
    path = write(plain)
    head, _, _ = path.read_text().partition("run:")
    path.write_text(
        head
        + "run:\n  script_path: /s\n  log_path: /l\n  body: |\n    echo {seed}\n    echo {sede}\n    echo ${seed}\n"
        "variables: {seed: '1'}\n"
    )
    _, findings = examine(path)
    first = path.read_text().splitlines().index("    echo {sede}") + 1
    assert [(f.level, f.line) for f in findings] == [("warning", first), ("warning", first + 1)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("NVIDA GeForce RTX 4090", "NVIDIA GeForce RTX 4090"),
        ("NVIDIA L4OS", "NVIDIA L40S"),
    ],
)
def test_a_gpu_that_looks_mistyped_is_a_warning(plain: dict[str, Any], write: Write, name: str, meant: str) -> None:
    plain["pod"]["gpu_order"] = [name]
    (warning,) = load(write(plain)).findings
    assert str(warning).endswith(f"pod.gpu_order[0]: {name!r} is not a known GPU of RunPod; did you mean {meant!r}?")


@pytest.mark.parametrize("name", ["NVIDIA A40", "SIM 3600", "Quantum Accelerator 9", "RTX 4090", "h200", "24GB+"])
def test_a_gpu_that_only_the_catalogue_may_know_is_fine(plain: dict[str, Any], write: Write, name: str) -> None:
    plain["pod"]["gpu_order"] = [name]
    assert load(write(plain)).findings == ()


def test_a_log_that_would_be_lost_is_a_mistake(plain: dict[str, Any], write: Write) -> None:
    plain["run"]["log_path"] = plain["run"]["script_path"]
    assert "run.log_path: is the same file as run.script_path" in complaint(write(plain))
    plain["run"]["log_path"] = "/workspace/code/run.log"
    plain["staging"] = [{"label": "code", "source": "./", "destination": "/workspace/code/", "delete": True}]
    assert "run.log_path: is inside /workspace/code/" in complaint(write(plain))


def test_an_export_that_looks_like_shell_is_a_warning(plain: dict[str, Any], write: Write) -> None:
    plain["remote_env"] = {"exports": {"PATH": "/opt/conda/bin:$PATH", "PRICE": "5$"}}
    shown = [str(finding) for finding in load(write(plain)).findings]
    assert [line for line in shown if "remote_env.exports" in line and "$PATH is not replaced" in line]
    assert not [line for line in shown if "PRICE" in line]
