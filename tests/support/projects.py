"""Small projects as people have them: with uv, with pip and a notebook, a monorepo, and with conda."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

PROGRAM = """\
import os, pathlib, sys
data = pathlib.Path("data/cifar.bin")
print("data:", data.stat().st_size if data.exists() else "none", "token:", len(os.environ.get("WANDB_API_KEY", "")))
out = pathlib.Path("{results}/model.txt")
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text("weights\\n")
"""
UV = {
    "pyproject.toml": '[project]\nname = "cifar"\nversion = "0.1"\nrequires-python = ">=3.11"\n'
    "dependencies = []\n[tool.uv]\npackage = false\n",
    "train.py": PROGRAM.format(results="checkpoints"),
    ".gitignore": "data/\n.env\n.venv/\ncheckpoints/\n",
}
PIP = {
    "requirements.txt": "# nothing to install but what the image has\n",
    "helpers.py": "def double(x):\n    return 2 * x\n",
    "README.md": "# Explore\n",
    ".gitignore": "data/\n.env\n",
}
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "first",
            "metadata": {},
            "outputs": [],
            "source": PROGRAM.format(results="results").splitlines(keepends=True),
        }
    ],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
MONOREPO = {
    "README.md": "# Many packages\n",
    "services/api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
    "services/api/src/api/server.py": "print('no job')\n",
    "packages/trainer/pyproject.toml": '[project]\nname = "trainer"\nversion = "1"\n'
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
    "packages/trainer/requirements.txt": "# what the image has\n",
    "packages/trainer/src/trainer/__init__.py": "",
    "packages/trainer/src/trainer/train.py": PROGRAM.format(results="outputs"),
    ".gitignore": "packages/trainer/data/\n.env\n",
}
CONDA = {
    "environment.yml": "name: vision\nchannels: [conda-forge]\ndependencies: [python=3.12]\n",
    "train.py": PROGRAM.format(results="results"),
    ".gitignore": "data/\n.env\n",
}
KINDS = {"uv": UV, "pip": PIP, "monorepo": MONOREPO, "conda": CONDA}
DATA = {"monorepo": "packages/trainer/data"}
TOKEN = "0123456789abcdef"


def make(kind: str, folder: Path) -> Path:
    """A project of a kind, with data and a .env that git ignores, as somebody has it who works on it."""
    for name, text in KINDS[kind].items():
        write(folder / name, text)
    if kind == "pip":
        write(folder / "explore.ipynb", json.dumps(NOTEBOOK, indent=1))
    write(folder / ".env", f"# mine\nWANDB_API_KEY={TOKEN}\n")
    write(folder / DATA.get(kind, "data") / "cifar.bin", "x" * 3000)
    commit = "git init -q && git add . && git -c user.name=a -c user.email=a@example.org commit -qm first"
    subprocess.run(["sh", "-c", commit], cwd=folder, check=True)
    return folder


def write(path: Path, text: str) -> None:
    """The text is in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
