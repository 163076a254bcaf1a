"""What staging would ship, and what of it would be regretted."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from runpod_deploy.pod.transfer.shipment import survey
from runpod_deploy.scans import files
from runpod_deploy.spec import RsyncPushSpec

from .conftest import Project


def entry(**values: Any) -> dict[str, Any]:
    return {"label": "repo", "source": "./", "destination": "/workspace/repo", **values}


def names(project: Project, tree: dict[str, str], **values: Any) -> list[str]:
    draft = project(tree, staging=[entry(**values)])
    (shipment,) = files.shipments_of(draft)
    return [file.name for file in shipment.files if file.name != "job.yaml"]


TREE = {
    "a.py": "x",
    ".git/config": "",
    "src/b.py": "yy",
    "src/__pycache__/b.pyc": "",
    "artifacts/runpod/20260101T000000Z/run.log": "old",
    "artifacts/kept.txt": "",
}


def test_own_results_never_ship(project: Project) -> None:
    assert names(project, TREE) == [".git/config", "a.py", "artifacts/kept.txt", "src/__pycache__/b.pyc", "src/b.py"]


def test_patterns_leave_out(project: Project) -> None:
    assert names(project, TREE, excludes_default=True, excludes=["/artifacts/"]) == ["a.py", "src/b.py"]


def test_without_a_slash_the_folder_itself_ships(project: Project) -> None:
    assert names(project, TREE, source="src", excludes=["/src/b.py"]) == ["__pycache__/b.pyc"]
    assert names(project, TREE, source="src/", excludes=["/src/b.py"]) == ["__pycache__/b.pyc", "b.py"]


def test_a_single_file_ships(project: Project) -> None:
    assert names(project, TREE, source="src/b.py") == ["b.py"]


def test_what_git_ignores_is_left_out_if_asked(project: Project, tmp_path: Any) -> None:
    draft = project({**TREE, ".gitignore": "*.py\n"}, staging=[entry()])
    subprocess.run(["git", "init", "-q", str(draft.project_root)], check=True)
    asked = RsyncPushSpec(**entry(respect_gitignore=True, excludes=(".git",)))
    shipped = {file.name for file in survey(asked, draft.project_root).files}
    assert shipped == {".gitignore", "job.yaml", "artifacts/kept.txt", "src/__pycache__/b.pyc"}


def test_the_largest_are_named_first(project: Project) -> None:
    tree = {f"f{i:02}": "x" * i for i in range(1, 20)}
    draft = project(tree, staging=[entry(excludes=["job.yaml"])])
    (note,) = files.upload_sizes(draft, files.shipments_of(draft))
    assert note.level == "note"
    assert note.message == "uploads 19 files, 190 B, to /workspace/repo"
    assert note.hint.startswith("largest: f19 (19 B), f18 (18 B), ")
    assert note.hint.count("(") == 10


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        (".env", True),
        (".env.local", True),
        (".env.example", False),
        ("id_ed25519", True),
        ("id_ed25519.pub", False),
        ("server.pem", True),
        ("credentials.json", True),
        ("train.py", False),
        ("secretary.py", False),
        ("client_secret_1.json", True),
    ],
)
def test_names_of_secrets(name: str, secret: bool) -> None:
    assert files.looks_secret(name) is secret


def test_secrets_about_to_ship_are_warned_about(project: Project) -> None:
    draft = project({"deep/.env.local": "x"}, staging=[entry()])
    (warning,) = files.secrets_among(draft, files.shipments_of(draft))
    assert (warning.level, warning.path) == ("warning", "staging[0]")
    assert warning.message == "deep/.env.local looks like a secret and would be uploaded"


def test_home_folders_in_shipped_files_are_warned_about_three_times_a_file(project: Project) -> None:
    text = "ok\n" + "p = '/home/ann/data'\n" * 5
    tree = {
        "a.py": text,
        "b.sh": r"cd C:\Users\ann" + "\ncd /Users/bob/x\n",
        "c.txt": text,
        ".git/x.py": text,
        "big.json": '"/home/x/"' + " " * (1 << 20),
    }
    draft = project(tree, staging=[entry()])
    found = [warning.message for warning in files.home_paths(draft, files.shipments_of(draft))]
    assert found == [
        "a.py:2 names /home/ann/, which is not on the pod",
        "a.py:3 names /home/ann/, which is not on the pod",
        "a.py:4 names /home/ann/, which is not on the pod",
        r"b.sh:1 names C:\Users" + "\\, which is not on the pod",
        "b.sh:2 names /Users/bob/, which is not on the pod",
    ]


def test_required_paths_that_staging_leaves_out_are_warned_about(project: Project) -> None:
    draft = project(
        {"src/a.py": "", "data/x.parquet": "", "elsewhere/y": "", "empty/.keep": ""},
        local={"required_paths": ["src", "data/x.parquet", "missing", "../project/src/a.py"]},
        staging=[entry(excludes=["**/*.parquet"])],
    )
    warnings = list(files.excluded_although_required(draft, files.shipments_of(draft)))
    assert [(w.path, w.message) for w in warnings] == [
        ("local.required_paths[1]", "data/x.parquet is required here, but excluded from staging")
    ]
