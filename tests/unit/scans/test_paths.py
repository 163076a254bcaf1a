"""Local paths that are missing, collide, or lie on the run's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.pod.transfer.shipment import Shipment, survey
from runpod_deploy.scans import paths
from runpod_deploy.spec import RsyncPushSpec

from .conftest import Project


def artifact(label: str, remote: str, local: str) -> dict[str, Any]:
    return {"label": label, "remote_path": remote, "local_path": local}


def push(label: str, source: str, destination: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "source": source, "destination": destination, **more}


def test_everything_that_is_missing_is_told(project: Project) -> None:
    draft = project(
        {"here": ""},
        local={"required_paths": ["here", "gone"]},
        staging=[push("a", "nowhere/", "/a")],
        secrets=[{"name": "s", "destination": "/s", "file": "~/key"}, {"env": ["NOT_SET"]}, {"env_file": "none"}],
    )
    findings = list(paths.missing_here(draft))
    assert [(f.path, f.level, f.message) for f in findings] == [
        ("local.required_paths[1]", "error", "gone does not exist"),
        ("staging[0].source", "error", "nowhere/ does not exist"),
        ("secrets[0].file", "error", "the file ~/key does not exist"),
        ("secrets[1].env[0]", "error", "the environment variable NOT_SET is not set"),
        ("secrets[2].env_file", "error", "the file none does not exist"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (push("a", "./", "/w"), push("b", "src/", "/x"), "its source is inside that of staging[0]"),
        (push("a", "./", "/w", excludes=["/src/"]), push("b", "src/", "/x"), ""),
        (push("a", "src/", "/w/src"), push("b", "tests/", "/w"), "deletes what staging[0] uploads to /w/src"),
        (push("a", "src/", "/w/src"), push("b", "tests/", "/w", delete=False), ""),
        (push("a", "src/", "/w/src"), push("b", "tests/", "/w/tests"), ""),
        (push("a", "src/", "/w"), push("b", "tests/", "/w/tests"), ""),
    ],
)
def test_entries_that_undo_each_other(
    project: Project, first: dict[str, Any], second: dict[str, Any], words: str
) -> None:
    findings = [f.message for f in paths.overwritten(project({"src/a.py": ""}, staging=[first, second]))]
    assert len(findings) == bool(words)
    assert all(message.startswith(words) for message in findings)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([("/w/a", "out"), ("/w/b", "out")], "is downloaded to the same path as artifacts[0]"),
        ([("/w/a", "out/"), ("/x/a", "out/")], "is downloaded to the same path as artifacts[0]"),
        ([("/w/a", "out/"), ("/w/b", "out/")], ""),
        ([("/w/a/", "out/"), ("/w/b/", "out")], "is downloaded to the same path as artifacts[0]"),
        ([("/w/a/", "{run_dir}")], "overwrites the run's own files"),
        ([("/w/a/", "artifacts")], "overwrites the run's own files"),
        ([("/w/run.log", "{run_dir}/")], "overwrites the run's own files"),
        ([("/w/a", "{run_dir}/")], ""),
        ([("/w/a/", "{run_dir}/a")], ""),
    ],
)
def test_artifacts_that_land_on_something(project: Project, entries: list[tuple[str, str]], words: str) -> None:
    artifacts = [artifact(f"a{i}", remote, local) for i, (remote, local) in enumerate(entries)]
    findings = [f.message for f in paths.colliding(project(artifacts=artifacts))]
    assert len(findings) == bool(words)
    assert all(message.startswith(words) for message in findings)


def test_landings_are_told(project: Project) -> None:
    draft = project(artifacts=[artifact("a", "/w/out", "here/"), artifact("b", "/w/out/", "there")])
    root = draft.project_root
    assert [f.message for f in paths.landings(draft)] == [
        f"/w/out will be downloaded to {root}/here/out",
        f"the contents of /w/out/ will be downloaded to {root}/there",
    ]


def test_a_source_is_listed_once_however_many_entries_are_inside_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"src/{name}" for name in "abcd"]
    listed: list[str] = []

    def counted(entry: RsyncPushSpec, root: Path) -> Shipment:
        listed.append(entry.source)
        return survey(entry, root)

    monkeypatch.setattr(paths, "survey", counted)
    entries = [push("all", "./", "/w"), *(push(name[-1], f"{name}/", f"/x/{name[-1]}") for name in names)]
    draft = project({f"{name}/f": "" for name in names}, staging=entries)
    assert len(list(paths.overwritten(draft))) == len(names)
    assert listed == ["./"]
