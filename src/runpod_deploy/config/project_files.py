"""What a project is, as far as its files tell. Knows the usual files of Python projects; runs nothing of them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ..machine.env_file import EnvFileError, read_env_file
from ..machine.files import real
from ..machine.git import GitFailed, git_ignored
from ..machine.limits import PROJECT_FILE_BYTES
from ..machine.reading import read_limited
from .pyproject import read_pyproject, table

Installer = Literal["uv", "pip", "conda", "none"]
SCRIPTS = ("train.py", "main.py", "run.py", "src/train.py", "src/main.py", "scripts/train.py")
PATTERNS = (
    "src/*/train.py",
    "*/train.py",
    "src/*/__main__.py",
    "*/__main__.py",
    "*.ipynb",
    "notebooks/*.ipynb",
    "*.py",
)
"""Where an entry point may be, after SCRIPTS. Of several files, the first by name is taken."""
CONDA_FILES = ("environment.yml", "environment.yaml")
MARKERS = ("pyproject.toml", "requirements.txt", "setup.py", *CONDA_FILES)
NO_CODE = re.compile(
    r"\..*|_.*|tests?|docs?|venv|env|node_modules|artifacts|build|dist|conftest\.py|setup\.py|noxfile\.py"
)
RESULT_FOLDERS = ("outputs", "results", "checkpoints", "runs")
RESULTS = re.compile(r"[\"'/ ](outputs|results|checkpoints|runs|output|out|models)(?=[\"'/\\])")
DATA_FOLDERS = {"data", "dataset", "datasets", "input", "inputs"}
DEEPEST = 3
MOST_FOLDERS, MOST_PACKAGES, MOST_PROGRAMS = 2000, 50, 200
"""What is looked at in a folder of any size: folders, projects among them, and files that may be programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project in a folder, as far as its files tell."""

    name: str
    kind: Installer
    folder: str = ""
    """The folder of the package below the project's root; empty if it is the root."""
    entry: str
    """The program to run: a path relative to `folder`, or a command; empty if none was found."""
    results: str
    """Name of the folder with the results, below `folder`."""
    has_git: bool
    locked: bool = False
    """Whether there is a lockfile of uv."""
    requirements: str = ""
    """The arguments of `pip install`, or the file of the conda environment."""
    data: dict[str, int] = field(default_factory=dict)
    """The folders of data that git ignores, relative to the root, with their sizes in bytes."""
    env_file: str = ""
    """The project's file of variables, relative to the root."""
    env_names: tuple[str, ...] = ()
    """The names in that file; none if it cannot be read."""


def look_at(root: Path, entry: str = "") -> Project:
    """The project in a folder. An entry is a path below it, or a command."""
    root = real(root)
    package = package_of(root, entry)
    content = read_pyproject(package)
    inside = package.relative_to(root).as_posix() if package != root else ""
    program = " ".join((entry.removeprefix(f"{inside}/") if inside else entry).splitlines()) or entry_of(package)
    env_file = next((path for path in (package / ".env", root / ".env") if path.is_file()), None)
    kind = kind_of(package, root, content)
    return Project(
        name=name_of(table(content, "project").get("name") or package.name),
        kind=kind,
        folder=inside,
        entry=program,
        results=results_of(package, program),
        has_git=any((folder / ".git").exists() for folder in (root, *root.parents)),
        locked=is_locked(package, root),
        requirements=requirements_of(package, kind),
        data=ignored_data(root),
        env_file=env_file.relative_to(root).as_posix() if env_file else "",
        env_names=names_in(env_file) if env_file else (),
    )


def name_of(text: object) -> str:
    """A name for the job, made of the project's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", str(text)).strip("-.") or "job"


def package_of(root: Path, entry: str) -> Path:
    """The folder of the package: that of the entry, else the root, else the first one below it that has a program."""
    if entry and (root / entry).is_file():
        above = [path for path in real(root / entry).parents if path.is_relative_to(root)]
        return next((path for path in above if has_marker(path)), root)
    if entry or entry_of(root):
        return root
    return next((path for path in islice(packages_below(root), MOST_PACKAGES) if entry_of(path)), root)


def packages_below(root: Path) -> Iterator[Path]:
    """The folders below the root that are Python projects of their own."""
    walk = ((Path(at), folders) for at, folders, _ in os.walk(root))
    for at, folders in islice(walk, MOST_FOLDERS):
        deep = len(at.relative_to(root).parts) >= DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if not NO_CODE.fullmatch(name))
        if at != root and has_marker(at) and str(at).isprintable():
            yield at


def has_marker(folder: Path) -> bool:
    """Whether the folder has a file that says what to install."""
    return any((folder / name).is_file() for name in MARKERS)


def entry_of(folder: Path) -> str:
    """The likely program of a project, relative to its folder; empty if there is none."""
    for script in SCRIPTS:
        if (folder / script).is_file():
            return script
    found = (path for pattern in PATTERNS for path in sorted(folder.glob(pattern)))
    program = next((path for path in islice(found, MOST_PROGRAMS) if is_program(path, folder)), None)
    return program.relative_to(folder).as_posix() if program else ""


def is_program(path: Path, folder: Path) -> bool:
    """Whether a file is one that somebody starts: a plain module must say so itself."""
    parts = path.relative_to(folder).parts
    if (
        not path.name.isprintable()
        or any(NO_CODE.fullmatch(part) for part in parts if part != "__main__.py")
        or has_other_marker(path, folder)
    ):
        return False
    named = path.suffix == ".ipynb" or path.name in ("train.py", "__main__.py")
    return named or "__main__" in text_of(path)


def has_other_marker(path: Path, folder: Path) -> bool:
    """Whether the file belongs to another project that lies in this one."""
    return any(has_marker(above) for above in path.parents if above != folder and above.is_relative_to(folder))


def is_locked(package: Path, root: Path) -> bool:
    """Whether there is a lockfile of uv, in the package's folder or in that of its workspace."""
    return any((folder / "uv.lock").is_file() for folder in (package, root))


def kind_of(package: Path, root: Path, content: dict[str, Any]) -> Installer:
    """How the project is installed."""
    if is_locked(package, root) or "uv" in table(content, "tool"):
        return "uv"
    if (package / "requirements.txt").is_file():
        return "pip"
    if any((package / name).is_file() for name in CONDA_FILES):
        return "conda"
    return "pip" if "build-system" in content or "project" in content or (package / "setup.py").is_file() else "none"


def requirements_of(package: Path, kind: Installer) -> str:
    """What the installer is told to install."""
    if kind == "conda":
        return next(name for name in CONDA_FILES if (package / name).is_file())
    return "-r requirements.txt" if (package / "requirements.txt").is_file() else "-e ."


def results_of(package: Path, entry: str) -> str:
    """The folder of results that the program names, else one that is there, else the usual one."""
    # A notebook has a key "outputs" of its own in each cell.
    text = text_of(package / entry).replace('"outputs": [', "") if entry else ""
    if found := RESULTS.search(text):
        return found[1]
    return next((folder for folder in RESULT_FOLDERS if (package / folder).is_dir()), RESULT_FOLDERS[0])


def text_of(path: Path) -> str:
    """The text of a file of the project; empty if it cannot be read."""
    try:
        return read_limited(path, PROJECT_FILE_BYTES).decode(errors="replace")
    except OSError:
        return ""


def ignored_data(root: Path) -> dict[str, int]:
    """The folders of data that git ignores, with their sizes."""
    try:
        names = git_ignored(root)
    except GitFailed:
        return {}
    folders = dict.fromkeys(folder for name in names if (folder := data_folder(name)))
    return {folder: size_of(root / folder) for folder in folders if (root / folder).is_dir()}


def data_folder(name: str) -> str:
    """The folder of data that a path is in or is; empty if its parts name none, or it is in a hidden folder."""
    parts = name.split("/")
    for i, part in enumerate(parts[:DEEPEST]):
        if part.startswith(".") or NO_CODE.fullmatch(part):
            return ""
        if part.lower() in DATA_FOLDERS:
            return "/".join(parts[: i + 1])
    return ""


def size_of(folder: Path) -> int:
    """The size of the files below a folder, in bytes, as far as they can be reached."""
    total, ahead = 0, [str(folder)]
    while ahead:
        with suppress(OSError), os.scandir(ahead.pop()) as found:
            for child in found:
                if child.is_dir(follow_symlinks=False):
                    ahead.append(child.path)
                else:
                    total += child.stat(follow_symlinks=False).st_size
    return total


def names_in(path: Path) -> tuple[str, ...]:
    """The names in a file of variables; none if it cannot be read."""
    try:
        return tuple(read_env_file(path))
    except EnvFileError:
        return ()


def command_of(project: Project) -> str:
    """The command that runs the project's program in its folder; empty if there is no program."""
    entry, suffix = project.entry, Path(project.entry).suffix
    python = {"uv": "uv run --no-sync python", "conda": "micromamba run -p /root/env python"}.get(
        project.kind, "python3"
    )
    if " " in entry.strip() or not entry:
        return entry
    if entry.endswith("/__main__.py"):
        package = Path(entry).parent.name
        path = "PYTHONPATH=src " if entry.startswith("src/") else ""
        return f"{path}{python} -m {package}"
    if suffix == ".ipynb":
        output = f"{project.results}/{Path(entry).name}"
        return f"{python} -m papermill --log-output -k python3 {shlex.quote(entry)} {shlex.quote(output)}"
    return f"{ {'.py': python, '.sh': 'bash'}.get(suffix, '') } {shlex.quote(entry)}".strip()
