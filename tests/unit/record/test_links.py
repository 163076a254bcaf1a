"""Nothing is written through a link in a run folder, which somebody else may have made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runpod_deploy.cli import main
from runpod_deploy.cloud.values import LogLine
from runpod_deploy.errors import UsageError
from runpod_deploy.phases.host_log import keep_host_log
from runpod_deploy.phases.watch import Watcher
from runpod_deploy.pod.keys import key_folder
from runpod_deploy.pod.protocol import Sample
from runpod_deploy.record.events import Interrupted, PodReachable, RunStarted
from runpod_deploy.record.journal import Journal, cut_torn_line
from runpod_deploy.record.lock import RunLock
from runpod_deploy.record.log_mirror import LogMirror
from runpod_deploy.record.paths import RunDir, require_own
from runpod_deploy.record.spec_file import first_spec
from runpod_deploy.terminal.console import Console
from tests.support.worlds import Memory

NAMES = (
    *("events.jsonl", "spec.json", "run.log", "console.log", "host_log.jsonl", "metrics.jsonl"),
    *("runpod_deploy_pull_manifest.json", ".lock", ".lock-holder", "ssh/config", "ssh/key", "ssh/known_hosts", "ssh/x"),
)
PRECIOUS = "# a file of the user\nwhole line\ntorn line"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of the user, outside of the run folder."""
    path = tmp_path / "home" / ".bashrc"
    path.parent.mkdir(exist_ok=True)
    path.write_text(PRECIOUS)
    return path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memory:
    """A run whose job is at work on a pod that does not answer, on a machine with a key."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RUNPOD_API_KEY", "abc")
    monkeypatch.setenv("RUNPOD_API_BASE_URL", "http://127.0.0.1:9")
    world = Memory(tmp_path)
    first_spec(world.spec, world.dir)
    journal = Journal(world.dir.events)
    journal.append(RunStarted(run_id=world.spec.run_id, job_name="j", tool_version="1"), {})
    journal.append(PodReachable(host="127.0.0.1", port=9), {})
    world.dir.ssh.mkdir()
    return world


def planted(run_dir: RunDir, name: str, target: Path) -> Path:
    """The path of that name in the run folder, which is a link now."""
    link = run_dir.path / name
    content = link.read_text() if name in ("events.jsonl", "spec.json") else None
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    if content is not None:
        target.write_text(content)
    return link


WRITERS: dict[str, Callable[[Memory], object]] = {
    "console.log": lambda world: Console(None, world.dir.console).write(["$(touch /tmp/x)"]),
    "events.jsonl": lambda world: Journal(world.dir.events).append(Interrupted(signal="SIGINT"), {}),
    "run.log": lambda world: list(LogMirror(world.dir.log, world.spec.job.run).take(b"$(touch /tmp/x)\n")),
    ".lock-holder": lambda world: RunLock(world.dir).acquire(),
    "metrics.jsonl": lambda world: Watcher(world.open()).keep_sample(Sample({"gpu": 1})),
}


@pytest.mark.parametrize("name", WRITERS)
def test_no_writer_follows_a_link(world: Memory, precious: Path, name: str) -> None:
    (world.dir.path / name).unlink(missing_ok=True)
    (world.dir.path / name).symlink_to(precious)
    WRITERS[name](world)
    assert precious.read_text() == PRECIOUS


def test_the_host_log_follows_no_link(world: Memory, precious: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [LogLine(at="2026-06-04T10:15:00Z", source="system", text="$(touch /tmp/x)")]
    monkeypatch.setattr(world.cloud, "host_log", lambda *_, **__: lines)
    world.dir.host_log.symlink_to(precious)
    assert keep_host_log(world.open(), "p1") == lines
    assert precious.read_text() == PRECIOUS


def test_a_torn_line_behind_a_link_is_not_cut(world: Memory, precious: Path) -> None:
    world.dir.events.unlink()
    world.dir.events.symlink_to(precious)
    with pytest.raises(OSError):
        cut_torn_line(world.dir.events)
    assert precious.read_text() == PRECIOUS


@pytest.mark.parametrize("name", NAMES)
def test_a_run_folder_with_links_is_not_continued(
    world: Memory, precious: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    link = planted(world.dir, name, precious)
    before = precious.read_text()
    for command in ("resume", "attach", "pull"):
        assert main([command, str(world.dir.path), "--trust"]) == 2
        assert f"{link} is a link to {precious}" in capsys.readouterr().err
    assert precious.read_text() == before


def test_a_pipe_in_place_of_a_file_is_refused(world: Memory) -> None:
    require_own(world.dir, trust=False)
    os.mkfifo(world.dir.metrics)
    with pytest.raises(UsageError, match=r"metrics\.jsonl is neither a file nor a folder"):
        require_own(world.dir, trust=True)


@pytest.mark.parametrize("name", ["ssh", "ssh/config", "ssh/known_hosts"])
def test_logs_writes_no_ssh_config_through_a_link(
    world: Memory, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "home" / ".ssh"
    theirs.mkdir(parents=True, exist_ok=True)
    theirs.chmod(0o755)
    (theirs / "config").write_text(PRECIOUS)
    if name == "ssh":
        world.dir.ssh.rmdir()
    (world.dir.path / name).symlink_to(theirs if name == "ssh" else theirs / "config")
    assert main(["logs", "--no-follow", str(world.dir.path)]) == 2
    assert f"{world.dir.path / name} is a link" in capsys.readouterr().err
    assert (theirs / "config").read_text() == PRECIOUS and theirs.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in theirs.iterdir()] == ["config"]


def test_no_key_is_made_behind_a_link(tmp_path: Path) -> None:
    theirs = tmp_path / ".ssh"
    theirs.mkdir()
    theirs.chmod(0o755)
    (tmp_path / "ssh").symlink_to(theirs)
    with pytest.raises(UsageError, match="is a link"):
        key_folder(tmp_path / "ssh")
    assert theirs.stat().st_mode & 0o777 == 0o755


def test_a_page_replaces_a_link_that_nobody_named(world: Memory, precious: Path) -> None:
    page, named = world.dir.path / "report.html", world.dir.path / "named.html"
    for link in (page, named):
        link.symlink_to(precious)
    assert main(["report", str(world.dir.path)]) == 0
    assert precious.read_text() == PRECIOUS and not page.is_symlink() and "<html" in page.read_text()
    assert main(["report", str(world.dir.path), "-o", str(named)]) == 0
    assert "<html" in precious.read_text() and named.is_symlink()


def test_a_file_with_another_name_elsewhere_is_not_written(world: Memory, precious: Path) -> None:
    world.dir.log.hardlink_to(precious)
    with pytest.raises(UsageError, match="hard link"):
        require_own(world.dir, trust=True)
    assert main(["resume", str(world.dir.path)]) == 2
    assert precious.read_text() == PRECIOUS
