"""The state file: read with patience, and never written over a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.errors import ConfigError
from runpod_deploy.record.state_file import is_foreign, read_state_file


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
