"""Files of strangers: devices, pipes and files of gigabytes are refused at once, whoever reads them."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.config.pyproject import read_pyproject
from runpod_deploy.errors import ConfigError
from runpod_deploy.history.events import read_rows
from runpod_deploy.history.known_runs import known_runs
from runpod_deploy.history.manifests import ManifestUnreadable, read_manifest
from runpod_deploy.history.runs import RunUnreadable, last_line, read_run
from runpod_deploy.machine.git import capture_payload_lockfile
from runpod_deploy.machine.reading import open_regular, read_end, read_limited, read_lines
from runpod_deploy.phases.host_log import kept_lines
from runpod_deploy.pod.keys import make_key
from runpod_deploy.pod.remote_log import last_lines
from runpod_deploy.record.journal import read_events
from runpod_deploy.record.lock import RunLock
from runpod_deploy.record.manifest import log_facts
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.spec_file import read_spec
from runpod_deploy.record.state_file import read_state_file


def sparse(path: Path) -> None:
    """Makes a file of 4 TB that takes no room; who reads all of it meets the timeout of the tests."""
    with path.open("wb") as file:
        file.truncate(4 << 40)


ODD: dict[str, Callable[[Path], Any]] = {
    "device": lambda path: path.symlink_to("/dev/zero"),
    "pipe": os.mkfifo,
    "sparse": sparse,
}


@pytest.fixture(params=list(ODD.values()), ids=list(ODD))
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Any]]:
    """A function that makes such a file. The test ends, and takes little memory."""
    tracemalloc.start()
    yield request.param
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 << 20


Make = Callable[[Path], Any]


def test_nothing_of_it_is_read(make: Make, tmp_path: Path) -> None:
    make(tmp_path / "file")

    with pytest.raises(OSError, match=r"it is not a regular file|it is larger than 1,000 bytes"):
        read_limited(tmp_path / "file", 1000)
    with pytest.raises(OSError, match=r"it is not a regular file|one of its lines is larger than 1,000 bytes"):
        list(read_lines(tmp_path / "file", 1000))


def test_a_record_is_unreadable(make: Make, tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for path in (run.spec, run.manifest):
        make(path)

    with pytest.raises(RunUnreadable):
        read_run(tmp_path, print)
    with pytest.raises(ConfigError, match=r"spec\.json: cannot be read"):
        read_spec(run)
    with pytest.raises(ManifestUnreadable):
        read_manifest(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_state_file(run.manifest)


def test_a_journal_is_unreadable(make: Make, tmp_path: Path) -> None:
    make(tmp_path / "events.jsonl")
    told: list[str] = []

    with pytest.raises(OSError, match=r"it is not a regular file|one of its lines"):
        list(read_events(tmp_path / "events.jsonl"))
    assert list(read_rows(tmp_path, lambda _, why: told.append(why))) == []
    assert known_runs([str(tmp_path)], ["pod"], lambda _, why: told.append(why)) == []
    assert len(told) == 2


def test_logs_are_empty_or_end_somewhere(make: Make, tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for path in (run.log, run.host_log, tmp_path / ".lock-holder"):
        make(path)

    assert set(last_line(run.log) or "\0") == {"\0"}
    assert list(kept_lines(run)) == []
    assert set(last_lines(run.log, 1)) <= {0} and len(last_lines(run.log, 1)) < 1 << 27
    assert RunLock(run).holder() == "unknown"
    assert (log_facts(run.log, whole=False) or {})["sha256"] is None


def test_a_project_has_no_such_file(make: Make, tmp_path: Path) -> None:
    for name in ("uv.lock", "pyproject.toml"):
        make(tmp_path / name)
    (tmp_path / "poetry.lock").write_text("locked")

    assert capture_payload_lockfile(tmp_path)["payload_lockfile"] == "poetry.lock"
    assert read_pyproject(tmp_path) == {}


def test_a_key_is_not_made_of_it(make: Make, tmp_path: Path) -> None:
    make(tmp_path / "key.pub")

    with pytest.raises(OSError, match="it is"):
        make_key(tmp_path)


def test_a_file_of_the_largest_size_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345\n123\n")

    assert read_limited(tmp_path / "file", 10) == b"12345\n123\n"
    assert list(read_lines(tmp_path / "file", 6)) == [b"12345\n", b"123\n"]
    assert [read_end(tmp_path / "file", count) for count in (4, 10, 99)] == [b"123\n", *[b"12345\n123\n"] * 2]
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n", b"a", b"a\nb", b"a\nb\n", b"\n\na\r\n\n", b"a\n\n"])
def test_the_last_lines_of_a_log_are_whole(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.log").write_bytes(content)
    lines = content.splitlines(keepends=True)

    for count in range(6):
        assert last_lines(tmp_path / "run.log", count) == b"".join(lines[max(0, len(lines) - count) :])
