"""The first config for a project is valid, and fits it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.cli.init import init
from runpod_deploy.config import load
from runpod_deploy.config.examples import CHECKOUT, example_names
from runpod_deploy.config.starter import look_at, starter
from runpod_deploy.errors import UsageError


def project(root: Path, *files: str) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('[project]\nname = "My Project!"\n' if path.name == "pyproject.toml" else "")
    return root


@pytest.mark.parametrize(
    ("files", "kind", "words"),
    [
        (["uv.lock", "pyproject.toml", "train.py"], "uv", "uv run python train.py"),
        (["requirements.txt", "src/main.py"], "pip", "python3 src/main.py"),
        (["pyproject.toml"], "pip", "pip install -e ."),
        (["results/x"], "none", "mkdir -p results"),
        ([], "none", "nvidia-smi"),
    ],
)
def test_it_is_valid_and_fits(tmp_path: Path, files: list[str], kind: str, words: str) -> None:
    root = project(tmp_path / 'odd "name" ü', *files) if files else tmp_path
    found = look_at(root)
    path = root / "runpod.yaml"
    path.write_text(starter(found))
    draft = load(path)
    assert found.kind == kind
    assert draft.findings == ()
    assert words in starter(found)
    assert "@" not in starter(found)
    if "pyproject.toml" in files:
        assert draft.name == "My-Project"


def test_a_file_is_never_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "runpod.yaml").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        init.main(["--project-root", str(tmp_path)], standalone_mode=False)
    assert (tmp_path / "runpod.yaml").read_text() == "mine"
    init.main(["--project-root", str(tmp_path), "--force"], standalone_mode=False)
    assert load(tmp_path / "runpod.yaml").findings == ()


def test_a_link_in_the_project_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "bashrc").write_text("precious")
    root = project(tmp_path / "checkout", "train.py")
    (root / "runpod.yaml").symlink_to(tmp_path / "bashrc")
    with pytest.raises(UsageError, match="exists already"):
        init.main(["--project-root", str(root)], standalone_mode=False)
    init.main(["--project-root", str(root), "--force"], standalone_mode=False)
    assert (tmp_path / "bashrc").read_text() == "precious"
    assert not (root / "runpod.yaml").is_symlink() and load(root / "runpod.yaml").name == "checkout"


@pytest.mark.parametrize("example", example_names())
def test_an_example_is_copied_whole(tmp_path: Path, example: str) -> None:
    init.main(["--project-root", str(tmp_path), "--from", example], standalone_mode=False)
    draft = load(tmp_path / "runpod.yaml")
    assert draft.findings == ()
    assert all((tmp_path / needed).exists() for needed in draft.job.local.required_paths)
    copied = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    config = copied.pop("runpod.yaml")
    assert config == (CHECKOUT / example / f"{example}.yaml").read_bytes()
    assert copied == {name: (CHECKOUT / example / name).read_bytes() for name in copied}


def test_nothing_is_copied_if_one_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")
    with pytest.raises(UsageError, match=r"train\.py: exists already"):
        init.main(["--project-root", str(tmp_path), "--from", "lightning"], standalone_mode=False)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["train.py"]


def test_an_example_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        init.main(["--project-root", str(tmp_path), "--from", "../hello"], standalone_mode=False)
    assert "finetune" in caught.value.hint
