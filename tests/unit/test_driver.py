"""The driver of one run: what it prints before the run goes on."""

from __future__ import annotations

import io
from pathlib import Path

from runpod_deploy.driver import RunOptions, with_listeners
from tests.support.worlds import Memory


def printed(world: Memory, *, verbose: bool) -> str:
    """The lines that a process prints when it takes the run up."""
    out = io.StringIO()
    with_listeners(world.open(), RunOptions(verbose=verbose, out=out))
    return out.getvalue()


def test_rows_of_another_version_are_named_once_with_v(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    assert printed(world, verbose=True) == ""
    world.dir.events.write_text('{"event": "pod_painted"}\n{"event": "pod_sold"}\n')
    (line,) = printed(world, verbose=True).splitlines()
    assert "skipped 2 rows" in line and line.endswith("line 1: unknown event 'pod_painted'")
    assert printed(world, verbose=False) == ""
