"""Fuzzed run folders and command lines: every command ends with a sentence, never with a traceback.

`FUZZ=10000 pytest -n 0 tests/transcripts/test_fuzzed_folders.py` tries more of them.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.cli import main
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.spec_file import first_spec
from tests.support.worlds import Memory

TRIES = int(os.environ.get("FUZZ", "150"))
COMMANDS = (
    *("status", "manifest", "manifest-summary", "ls-runs", "compare-runs", "events", "events-query"),
    *("validate", "estimate", "config", "logs", "resume", "schema", "run"),
)
WORDS = [
    *("", ".", "/", "~nobody/x", "x" * 300, "x" * 5000, "a\nb", "\udc80", "\x1b]52;", "é", "{run_dir}", "9" * 400),
    *("--json", "--root", "--config", "--var", "a=b", "=", "--run-id", "-q", "-v", "--lines", "--all", "--trust"),
    *("--no-color", "job.yaml", "--project-root", "--since", "--filter", "a>b", "f~(", "--until", "1e999d"),
]
ODD: list[Any] = [None, -1, 1e308, 10**300, "", "x" * 1000, "\ud800", [], {}, True, [[1]], "a\nb", "~nobody/x"]
PIECES = [b"null", b"1e999", b'"\\ud800"', b"[[[[", b"{}", b"9" * 400, b"NaN", b"\x00"]


def garbled(chance: random.Random, data: bytes) -> bytes:
    """The bytes with some of them changed, removed or added."""
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        taken = chance.choice([0, 1, chance.randrange(40), len(data)])
        data = data[:place] + chance.choice([*PIECES, b"", bytes([chance.randrange(256)])]) + data[place + taken :]
    return data


def spoiled(chance: random.Random, value: Any) -> Any:
    """The value with a few odd ones in it."""
    if chance.random() < 0.03:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {key: spoiled(chance, item) for key, item in value.items()}
    return [spoiled(chance, item) for item in value] if isinstance(value, list) else value


def changed(chance: random.Random, name: str, data: bytes) -> bytes:
    """The file as it was, garbled, or valid JSON with odd values."""
    match chance.randrange(3):
        case 1:
            return garbled(chance, data)
        case 2 if name.endswith(".jsonl"):
            return b"".join(
                json.dumps(spoiled(chance, json.loads(line))).encode() + b"\n" for line in data.splitlines()
            )
        case 2 if name.endswith(".json"):
            return json.dumps(spoiled(chance, json.loads(data))).encode()
    return data


def command(chance: random.Random, run: Path) -> list[str]:
    """Some command line about the run."""
    name = chance.choice(COMMANDS)
    words = [chance.choice([*WORDS, *[str(run)] * 10]) for _ in range(chance.randrange(4))]
    return [name, *({"run": ["--offline-dry-run"], "logs": ["--no-follow"]}.get(name, [])), *words]


@pytest.mark.timeout(3600 if TRIES > 1000 else 400)
def test_nothing_makes_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    world = Memory(tmp_path)
    first_spec(world.spec, world.dir)
    carry_out(world.open())
    files = {path: path.read_bytes() for path in world.dir.path.iterdir() if path.is_file()}
    for seed in range(TRIES):
        chance = random.Random(seed)
        for path, data in files.items():
            path.write_bytes(changed(chance, path.name, data))
        argv = command(chance, world.dir.path)
        assert isinstance(main(argv), int), (seed, argv)
        capsysbinary.readouterr()
