"""Uploads and downloads that would destroy something, or find nothing."""

from __future__ import annotations

from typing import Any

import pytest

from runpod_deploy.config import examine
from runpod_deploy.spec import RsyncPushSpec

from .conftest import Write


def artifact(label: str, remote: str, local: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "remote_path": remote, "local_path": local, **more}


def found(write: Write, plain: dict[str, Any], **sections: Any) -> list[tuple[str, str, str]]:
    """Level, path and message of each finding about a config with these sections."""
    _, findings = examine(write({**plain, **sections}))
    return [(finding.level, finding.path, finding.message) for finding in findings]


@pytest.mark.parametrize("path", ["/workspace/*.json", "/workspace/$USER/out", "$HOME/out"])
def test_a_path_that_only_a_shell_would_expand_is_an_error(plain: dict[str, Any], write: Write, path: str) -> None:
    (only,) = found(write, plain, artifacts=[artifact("a", path, "out")])
    assert only[:2] == ("error", "artifacts[0].remote_path")
    assert "is not expanded" in only[2]


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        (("/a/", "res"), ("/b/", "res"), True),
        (("/a/", "res"), ("/b/", "./x/../res/"), True),
        (("/a", "res"), ("/b/", "res/a"), True),
        (("/a", "res/"), ("/b", "res/"), False),
        (("/a/", "res"), ("/b/", "res/b"), False),
    ],
)
@pytest.mark.parametrize("eraser", [0, 1, None])
def test_two_artifacts_in_one_place_of_which_one_deletes(
    plain: dict[str, Any],
    write: Write,
    first: tuple[str, str],
    second: tuple[str, str],
    wrong: bool,
    eraser: int | None,
) -> None:
    entries = [artifact("a", *first, delete=eraser == 0), artifact("b", *second, delete=eraser == 1)]
    findings = found(write, plain, artifacts=entries)
    assert [row[:2] for row in findings] == (
        [("error", "artifacts[1].local_path")] if wrong and eraser is not None else []
    )
    assert all(f"artifacts[{eraser}] has delete: true" in row[2] for row in findings)


@pytest.mark.parametrize(
    ("source", "destination", "reaches"),
    [
        ("./", "/workspace", True),
        ("./", "/workspace/", True),
        ("./", "/", True),
        ("./", "/workspace/x/..", True),
        (".", "/workspace", True),
        ("src/", "/workspace/src", False),
        ("src", "/workspace", False),
        ("workspace", "/", True),
        ("./", "~", False),
        ("./", "../workspace", True),
        ("./", "/workspace2", False),
    ],
)
def test_staging_at_or_above_a_mount_point_deletes_only_if_that_is_written(
    plain: dict[str, Any], write: Write, source: str, destination: str, reaches: bool
) -> None:
    def levels(**more: Any) -> list[tuple[str, str]]:
        entry = {"label": "code", "source": source, "destination": destination, **more}
        return [row[:2] for row in found(write, plain, staging=[entry]) if row[1].startswith("staging")]

    entry = RsyncPushSpec(label="code", source=source, destination=destination)
    assert entry.deletes("/workspace") is not reaches
    assert levels(delete=False) == []
    assert levels() == ([("warning", "staging[0].destination")] if reaches else [])
    assert levels(delete=True) == ([("warning", "staging[0].delete")] if reaches else [])
