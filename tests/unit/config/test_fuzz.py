"""Whatever a file holds: findings or a ConfigError, soon; never another exception.

FUZZ_EXAMPLES=10000 asks for more than the suite has time for.
"""

from __future__ import annotations

import copy
import os
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.config import Finding, examine
from runpod_deploy.errors import ConfigError
from runpod_deploy.spec.json import spec_from_json, spec_to_json

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "250"))
BUSY = settings(
    max_examples=EXAMPLES,
    deadline=5000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
USER_CONFIGS = [
    path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "user_configs").glob("*.yaml"))
]
PLAIN: list[Any] = [yaml.safe_load(text) for text in USER_CONFIGS]

ODD_LINES = st.sampled_from(
    [
        "{",
        "}",
        "]",
        "- ",
        "? x",
        "<<: *a",
        "&a *a",
        "!!binary x",
        "!!set {a}",
        "%YAML 9.9",
        "---",
        "...",
        "\t",
        "x: |",
        "name: {a",
        "'",
        '"\\x00\\ud83d"',
        ": : :",
        "0: 1",
        "~: 1",
        "[a]: b",
        "2026-01-01: 1:30:00",
        "{seed}{seed}",
        "stop: true",
        "stop: [1]",
        "extends: job.yaml",
        "extends: .",
        "schema_version: 1",
        "local: {project_root: '~nobody-here/x'}",
        "variables: {a: '{b}', b: '{a}{run_id}'}",
        "=: =",
        "\x85\u2028x",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["{seed}", "{x", "~", "/", "{run_id}", "{volume_mount}/x", "22/tcp", "0600", "\x7f"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mangled_texts(draw: st.DrawFn) -> str:
    """A real config with lines removed, doubled, moved or replaced by odd ones."""
    lines = draw(st.sampled_from(USER_CONFIGS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        here, there = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.sampled_from(["remove", "double", "swap", "odd", "indent", "cut", "character"])):
            case "remove" if len(lines) > 1:
                del lines[here]
            case "double":
                lines.insert(there, lines[here])
            case "swap":
                lines[here], lines[there] = lines[there], lines[here]
            case "odd":
                lines[here] = draw(ODD_LINES)
            case "indent":
                lines[here] = " " * draw(st.integers(1, 5)) + lines[here]
            case "cut":
                lines[here] = lines[here][: draw(st.integers(0, 12))]
            case "character":
                at = draw(st.integers(0, len(lines[here])))
                lines[here] = lines[here][:at] + draw(st.characters()) + lines[here][at:]
    return "\n".join(lines)


@st.composite
def mangled_values(draw: st.DrawFn) -> Any:
    """The values of a real config with some of them replaced by anything."""
    plain = copy.deepcopy(draw(st.sampled_from(PLAIN)))
    for _ in range(draw(st.integers(1, 3))):
        holder = plain
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            key = draw(st.sampled_from([*keys, "added"] if isinstance(holder, dict) else keys or [0]))
            inner = holder.get(key) if isinstance(holder, dict) else holder[key] if keys else None
            if not isinstance(inner, (dict, list)) or not inner or draw(st.booleans()):
                break
            holder = inner
        if isinstance(holder, dict) or keys:
            holder[key] = draw(VALUES)
    return plain


def judged(path: Path, content: str | bytes) -> list[Finding]:
    """The findings about a file of this content; what is free of errors can be rendered."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", errors="surrogatepass"))
    try:
        draft, findings = examine(path)
    except ConfigError as error:
        assert error.message
        return []
    for finding in findings:
        assert finding.message
        assert finding.line >= 0
    if not any(finding.level == "error" for finding in findings):
        run_dir = draft.trial_run_dir
        spec = draft.render(stamp="20260102T030405Z", run_dir=run_dir, created_at=datetime.now(UTC))
        assert spec_from_json(spec_to_json(spec)) == spec
    return findings


@BUSY
@given(text=st.text() | st.binary())
def test_any_text(tmp_path: Path, text: str | bytes) -> None:
    judged(tmp_path / "job.yaml", text)


@BUSY
@given(text=mangled_texts())
def test_mangled_lines(tmp_path: Path, text: str) -> None:
    judged(tmp_path / "job.yaml", text)


@BUSY
@given(plain=mangled_values())
def test_mangled_values(tmp_path: Path, plain: Any) -> None:
    judged(tmp_path / "job.yaml", yaml.safe_dump(plain, allow_unicode=True))


BOMBS = {
    "brackets": "a: " + "[" * 400_000,
    "dashes": "- " * 400_000,
    "braces": "{" * 900_000,
    "keys": "{" + '"a",' * 200_000 + "}",
    "items": "setup: [" + "{}," * 300_000 + "]",
    "numbers": "variables: {" + ",".join(f"v{i}: {i}" for i in range(15_000)) + "}",
    "chain": "variables: {" + ",".join(f"v{i}: '{{v{i + 1}}}'" for i in range(10_000)) + "}",
    "doubling": "variables: {" + ",".join(f"v{i}: '{{v{i + 1}}}{{v{i + 1}}}'" for i in range(900)) + ", v900: x}",
    "merges": "a: &a {x: 1}\n" + "".join(f"k{i}: {{<<: *a}}\n" for i in range(45_000)),
    "laughs": "a0: &a0 [x,x,x,x,x,x,x,x]\n"
    + "".join(f"a{i + 1}: &a{i + 1} [{','.join([f'*a{i}'] * 8)}]\n" for i in range(12)),
    "merge laughs": "a0: &a0 {x: 1}\n"
    + "".join(f"a{i + 1}: &a{i + 1} {{<<: [{','.join([f'*a{i}'] * 8)}]}}\n" for i in range(12)),
    "one line": "name: " + "x" * 990_000,
    "references": "variables: {x: '" + "y" * 1000 + "'}\nname: '" + "{x}" * 300_000 + "'",
    "a million lines": "#\n" * 490_000,
    "braces in shell": "run: {body: '" + "{" * 900_000 + "'}",
    "foreign names": "variables: {x: y}\nrun: {body: '" + "{{x}}" * 180_000 + "'}",
    "typos": "variables: {seed: y}\nrun: {body: '" + "".join(f"{{sead{i}}}" for i in range(70_000)) + "'}",
    "unknown names": "setup: [" + ",".join("{command: x, timeout_sec: '{nothing_like_it}'}" for _ in range(3000)) + "]",
    "strict unknowns": "artifacts: ["
    + ",".join(f"{{label: a{i}, remote_path: '{{sead}}', local_path: b}}" for i in range(5_000))
    + "]\nvariables: {"
    + ",".join(f"seed{i}: x" for i in range(900))
    + "}",
    "labels": "artifacts: [" + "{label: a, remote_path: b, local_path: c}," * 5_000 + "]",
    "colons": "a: " * 300_000,
    "quotes": "'" * 900_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_defused(tmp_path: Path, name: str) -> None:
    """Judged at all: one that is not defused takes longer than any test may."""
    judged(tmp_path / "job.yaml", BOMBS[name])


@pytest.mark.parametrize("name", ["laughs", "merge laughs", "references", "merges"])
def test_bombs_take_little_memory(tmp_path: Path, name: str) -> None:
    tracemalloc.start()
    try:
        judged(tmp_path / "job.yaml", BOMBS[name])
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="is larger than 1,000,000 bytes"):
            examine(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
