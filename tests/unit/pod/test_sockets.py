"""The folder of the control socket is private and short, and another user can keep nobody from having one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy.errors import ConfigError
from runpod_deploy.pod import sockets


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the user's session."""
    folder = Path(tempfile.mkdtemp(prefix="s-", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


def test_the_session_s_folder_is_used_and_kept(session: Path) -> None:
    folder = sockets.socket_folder()
    assert folder == session / "runpod-deploy" and folder.stat().st_mode & 0o777 == 0o700
    sockets.remove_folder(folder)
    assert folder.is_dir() and sockets.socket_folder() == folder


@pytest.mark.parametrize("how", ["link", "open", "session is open", "file", "long", "relative", "odd"])
def test_a_session_folder_that_is_not_ours_alone_is_not_used(
    session: Path, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = session / "runpod-deploy"
    match how:
        case "link":
            folder.symlink_to(tmp_path)
        case "open":
            folder.mkdir()
            folder.chmod(0o777)
        case "session is open":
            session.chmod(0o755)
        case "file":
            folder.write_text("")
        case "long":
            monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp/" + "x" * 90)
        case "relative":
            monkeypatch.setenv("XDG_RUNTIME_DIR", "run")
        case "odd":
            monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp/with space")
    found = sockets.socket_folder()
    assert found.name.startswith(sockets.PREFIX) and found.stat().st_mode & 0o777 == 0o700
    sockets.remove_folder(found)
    assert not found.exists()


def test_every_process_has_its_own_without_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    one, other = sockets.socket_folder(), sockets.socket_folder()
    assert one != other
    for folder in (one, other):
        sockets.remove_folder(folder)


def test_a_long_temporary_folder_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/tmp/" + "x" * 200)
    folder = sockets.new_folder()
    assert len(str(folder)) <= sockets.LONGEST_CHARS
    sockets.remove_folder(folder)


def test_no_place_at_all_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(ConfigError, match="control socket"):
        sockets.new_folder()
