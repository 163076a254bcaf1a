"""Whole runs of jobs and projects whose links lead out of what is downloaded and uploaded."""

from __future__ import annotations

from pathlib import Path

from tests.support.harness import WORK, Simulator, Tool, job, run

BODY = (
    WORK
    + """
mkdir -p /root/ckpt /workspace/out && echo weights > /root/ckpt/model.bin
ln -s /root/ckpt/model.bin /workspace/out/model.bin
ln -s /root/ckpt /workspace/out/last
ln -s /workspace/out/last /workspace/out/best
cp /workspace/code/data/x /workspace/out/x
"""
)


def test_links_come_home_whole(sim: Simulator, tmp_path: Path) -> None:
    config = project(tmp_path, BODY, follow_links=True)
    ended = run(sim, config)
    assert ended.code == 0, ended.err
    out = config.parent / "out"
    assert (out / "model.bin").read_text() == (out / "last" / "model.bin").read_text() == "weights\n"
    assert not (out / "model.bin").is_symlink() and not (out / "last").is_symlink()
    assert str((out / "best").readlink()) == "last"
    assert (out / "x").read_text() == "data"


def test_links_that_lead_nowhere_are_named(sim: Simulator, tmp_path: Path) -> None:
    config = project(tmp_path, WORK + "ln -s /nowhere /workspace/out/best")
    for words in (["validate", "--all", "--skip-registry-check"], ["run", "--offline-dry-run"]):
        said = Tool(sim, *words, "--config", str(config)).end()
        assert said.code == 0 and f"data -> {tmp_path}/elsewhere" in said.out + said.err
    ended = run(sim, config)
    assert ended.code == 7
    assert f"links that lead out of the source were sent as links: 'data -> {tmp_path}/elsewhere'" in ended.err
    assert "links in it lead nowhere on the pod: 'best'" in ended.err


def project(folder: Path, body: str, **staging: object) -> Path:
    """A config whose staged folder has a link to data elsewhere."""
    config = job(
        folder / "project",
        body,
        staging=[{"label": "code", "source": "src/", "destination": "/workspace/code", **staging}],
        artifacts=[{"label": "out", "remote_path": "/workspace/out/", "local_path": "out"}],
        lifecycle={"on_failure": "delete"},
    )
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "x").write_text("data")
    (config.parent / "src").mkdir()
    (config.parent / "src" / "data").symlink_to(folder / "elsewhere")
    return config
