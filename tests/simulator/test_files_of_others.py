"""A recording or a saved cloud that somebody else wrote is one sentence, whatever it holds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runpod_sim.recording import tape

from .conftest import tool

GOOD = {"method": "GET", "path": "/v2/pods", "headers": {}}
HOSTILE: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "deep JSON": lambda path: path.write_text('{"exchanges":' + "[" * 200_000 + "]" * 200_000 + "}"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe"),
    "a large file": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 300 << 20),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("words", [("replay", "state.json"), ("serve", "--state", ".")], ids=["replay", "serve"])
def test_what_is_no_file_of_ours(tmp_path: Path, words: tuple[str, ...], kind: str) -> None:
    HOSTILE[kind](tmp_path / "state.json")
    done = subprocess.run(tool(*words), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "state.json" in done.stderr
    assert done.stderr.count("\n") == 1 and len(done.stderr) < 1000


@pytest.mark.parametrize(
    ("bent", "place"),
    [
        ({"path": 5}, "exchanges[1].path"),
        ({"method": ["GET"]}, "exchanges[1].method"),
        ({"headers": None}, "exchanges[1].headers"),
        ({"headers": {"Allow": "a\r\nb"}}, "exchanges[1].headers"),
        ({"headers": {"Content-Length": "5"}}, "exchanges[1].headers"),
        ({"status": True}, "exchanges[1].status"),
        ({"status": 101}, "exchanges[1].status"),
        ({"more": 1}, "exchanges[1] has not"),
    ],
)
def test_a_field_of_a_wrong_type_has_its_place(tmp_path: Path, bent: dict[str, object], place: str) -> None:
    file = tmp_path / "tape.json"
    file.write_text(json.dumps({"exchanges": [GOOD, GOOD | bent]}))
    with pytest.raises(tape.TapeUnreadable) as caught:
        tape.read(file)
    assert place in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "5", '{"exchanges": {}}', '{"exchanges": [1]}', "{"])
def test_what_has_no_exchanges(tmp_path: Path, text: str) -> None:
    (tmp_path / "tape.json").write_text(text)
    with pytest.raises(tape.TapeUnreadable):
        tape.read(tmp_path / "tape.json")


def test_a_recording_does_not_follow_a_link_and_is_private(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "tape.json"
    victim.write_text("mine")
    link.symlink_to(victim)
    with pytest.raises(OSError, match=r"tape\.json"):
        tape.write(link, [])
    assert victim.read_text() == "mine"
    victim.chmod(0o644)
    tape.write(victim, [tape.Exchange(method="GET", path="/", headers={})])
    assert victim.stat().st_mode & 0o777 == 0o600 and len(tape.read(victim)) == 1
