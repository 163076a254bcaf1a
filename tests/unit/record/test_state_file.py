"""The state file: read with patience, and never written over a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from runpod_deploy.errors import ConfigError
from runpod_deploy.record import state_file
from runpod_deploy.record.events import PodReachable
from runpod_deploy.record.state import State
from runpod_deploy.record.state_file import StateFileWriter, is_foreign, read_state_file
from tests.support.worlds import Memory, with_job


@pytest.mark.parametrize("content", [b"my notes", b"{}", b"[1]", b"\xff", b"[" * 100_000, b'{"pod_id": ""}'])
def test_a_file_that_is_no_state_file_is_foreign(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    assert is_foreign(path)
    with pytest.raises(ConfigError):
        read_state_file(path)


def test_what_may_be_written(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert not is_foreign(path)
    path.touch()
    assert not is_foreign(path)
    path.write_text('{"pod_id": "p"}')
    assert not is_foreign(path)
    (tmp_path / "nowhere").symlink_to("/nonexistent/x")
    assert is_foreign(tmp_path / "nowhere") and is_foreign(tmp_path)


def test_a_lock_that_another_user_keeps_holds_up_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_file, "LOCK_WITHIN_S", 0.05)
    world, path = Memory(tmp_path), tmp_path / "pod.json"
    with FileLock(f"{path}.lock"):
        StateFileWriter(with_job(world.spec, state_file=str(path)), world.dir)(PodReachable(host="h", port=1), State())
    assert not path.exists()
