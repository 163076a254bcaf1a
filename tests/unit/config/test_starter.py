"""The first config for a project is valid, and fits it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.cli.init import init
from runpod_deploy.cli.validate import Report, Scans
from runpod_deploy.config import load
from runpod_deploy.config.examples import CHECKOUT, example_names
from runpod_deploy.config.project_files import look_at
from runpod_deploy.config.starter import starter
from runpod_deploy.errors import UsageError
from tests.support import projects

CHECKS: dict[str, Any] = {
    "check_local": True,
    "check_availability": False,
    "scan_consumer": True,
    "check_image_registry": False,
    "skip_registry_check": True,
    "all": False,
    "registry_url": "",
}


def project(root: Path, *files: str) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('[project]\nname = "My Project!"\n' if path.name == "pyproject.toml" else "")
    return root


@pytest.mark.parametrize(
    ("files", "kind", "words"),
    [
        (["uv.lock", "pyproject.toml", "train.py"], "uv", "uv run --no-sync python train.py"),
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


@pytest.mark.parametrize(
    ("kind", "program", "results"),
    [
        ("uv", "uv run --no-sync python train.py", "checkpoints"),
        ("pip", "python3 -m papermill --log-output -k python3 explore.ipynb results/explore.ipynb", "results"),
        ("monorepo", "cd {remote_repo}/packages/trainer\n", "packages/trainer/outputs"),
        ("conda", "micromamba run -p /root/env python train.py", "results"),
    ],
)
def test_the_projects_that_people_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, program: str, results: str
) -> None:
    root = projects.make(kind, tmp_path / kind)
    init.main(["--project-root", str(root), "-o", "configs/gpu.yaml"], standalone_mode=False)
    said = capsys.readouterr().err
    draft = load(root / "configs/gpu.yaml")
    report = Report()
    report.look(root / "configs/gpu.yaml", ((), None), Scans(**CHECKS))
    data = projects.DATA.get(kind, "data")
    assert draft.project_root == root
    assert program in draft.job.run.body
    assert draft.job.artifacts[0].remote_path == f"{{remote_repo}}/{results}/"
    assert f"{data}/ (3.0 kB) is ignored by git: staged by its own entry" in said
    assert "WANDB_API_KEY" in said and projects.TOKEN not in said
    assert [(f.path, f.message) for f in report.findings if f.level != "note"] == []


def test_what_the_user_says_is_in_the_file(tmp_path: Path) -> None:
    root = projects.make("monorepo", tmp_path / "p")
    flags = ["--entry", "services/api/src/api/server.py", "--gpu", "4090", "--gpu", "NVIDIA L4", "--budget", "0.5"]
    init.main(["--project-root", str(root), *flags], standalone_mode=False)
    job = load(root / "runpod.yaml").job
    assert "cd {remote_repo}/services/api\n" in job.run.body and "python3 src/api/server.py" in job.run.body
    assert job.pod.gpu_order == ("4090", "NVIDIA L4")
    assert (job.budget.cost_cap_usd, job.budget.max_runtime_minutes) == (0.5, 24)


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


@pytest.mark.parametrize("flags", [["--entry", "train.py"], ["--gpu", "4090"], ["--budget", "1"]])
def test_an_example_takes_no_wishes(tmp_path: Path, flags: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{flags[0]} cannot be used with --from") as caught:
        init.main(["--project-root", str(tmp_path), "--from", "hello", *flags], standalone_mode=False)
    assert "init --from hello`" in caught.value.hint and not (tmp_path / "runpod.yaml").exists()


def test_a_notebook_of_conda_gets_its_tools_once(tmp_path: Path) -> None:
    root = projects.make("conda", tmp_path / "p")
    (root / "train.py").unlink()
    projects.write(root / "explore.ipynb", "{}")
    text = starter(look_at(root))
    assert text.count("papermill ipykernel") == 1
    assert "--file environment.yml && micromamba run -p /root/env python -m pip install papermill ipykernel\n" in text
