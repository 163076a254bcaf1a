"""Sources that would not work on the pod."""

from __future__ import annotations

import os
from typing import Any

import pytest

from runpod_deploy.cli import main
from runpod_deploy.cli.validate import local_warnings
from runpod_deploy.scans import files, sources

from .conftest import PLAIN, Project

ENTRY = {"label": "code", "source": "./", "destination": "/workspace/code"}


def run_with(body: str) -> dict[str, Any]:
    return {**PLAIN["run"], "body": body}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("bash /workspace/code/train.sh", ["train.sh"]),
        ("cd code && ./bin/go", ["bin/go"]),
        ("bash pretrain.sh", []),
        ("echo fine.sh data.csv", []),
    ],
)
def test_scripts_with_windows_line_ends_that_the_body_calls(project: Project, body: str, named: list[str]) -> None:
    tree = {"train.sh": "echo\r\n", "bin/go": "#!/bin/sh\r\n", "fine.sh": "echo\n", "data.csv": "1\r\n"}
    draft = project(staging=[ENTRY], run=run_with(body))
    for name, text in tree.items():
        (draft.project_root / name).parent.mkdir(exist_ok=True)
        (draft.project_root / name).write_bytes(text.encode())
    found = list(sources.windows_scripts(draft, files.shipments_of(draft)))
    assert [finding.message.split(" has ")[0] for finding in found] == named
    assert {finding.level for finding in found} <= {"warning"}


def test_placeholders_of_git_lfs_and_links_that_lead_nowhere(project: Project) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    draft = project({"model.bin": pointer, "small": "x"}, staging=[ENTRY])
    (draft.project_root / "gone").symlink_to("/nowhere")
    (draft.project_root / "here").symlink_to("small")
    os.mkfifo(draft.project_root / "pipe")
    (draft.project_root / "to-pipe.py").symlink_to("pipe")
    shipments = files.shipments_of(draft)
    (lfs,) = sources.large_file_pointers(draft, shipments)
    assert lfs.message.endswith("not the files: model.bin")
    (link,) = sources.dangling_links(draft, shipments)
    assert link.message.endswith("would be uploaded: gone")
    assert not list(files.home_paths(draft, shipments))


def test_a_secret_from_windows(project: Project) -> None:
    draft = project(secrets=[{"name": "s", "destination": "/s", "file": "env"}])
    (draft.project_root / "env").write_bytes(b"TOKEN=x\r\n")
    (found,) = sources.windows_secrets(draft)
    assert (found.path, found.level) == ("secrets[0].file", "warning")


def test_a_run_gets_the_warnings_that_need_no_network(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    draft = project({".env": "x"}, staging=[ENTRY])
    assert [finding.message for finding in local_warnings(draft)] == [".env looks like a secret and would be uploaded"]
    assert main(["run", "--offline-dry-run", "-q", "--config", str(draft.path)]) == 0
    assert ".env looks like a secret and would be uploaded" in capsys.readouterr().err
    draft = project(staging=[{**ENTRY, "respect_gitignore": True}])
    assert local_warnings(draft) == []
