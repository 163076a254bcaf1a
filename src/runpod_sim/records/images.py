"""Known images and the programs that they bring. Pure; from the images' public build files as of 2026-11."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PROGRAMS: dict[str, tuple[str, ...]] = {
    "sshd": ("sshd",),
    "python": ("python", "python[0-9]*", "pip", "pip[0-9]*"),
    "rsync": ("rsync",),
    "curl": ("curl",),
    "wget": ("wget",),
    "git": ("git",),
    "uv": ("uv", "uvx"),
    "tmux": ("tmux",),
}
"""The programs that an image may bring or lack, as patterns of file names. Every image brings all others."""
STAYS = ("/bin/sh", "-c", "trap 'exit 143' TERM; while :; do sleep 3600 & wait $!; done")
STARTS_SSHD = (*STAYS[:2], f"sshd; {STAYS[2]}")
START = "/start.sh"


@dataclass(frozen=True, slots=True)
class Image:
    """What the simulator must know of an image."""

    has: frozenset[str]
    """The programs of PROGRAMS that it brings."""
    argv: tuple[str, ...] = STAYS
    """Stands for its own start command."""
    official: bool = False
    """Whether it has the start script of RunPod's own images."""

    @property
    def lacks(self) -> list[str]:
        """The programs of PROGRAMS that it does not bring."""
        return [name for name in PROGRAMS if name not in self.has]

    @property
    def lacks_files(self) -> list[str]:
        """Patterns of the file names that it does not bring."""
        return [pattern for name in self.lacks for pattern in PROGRAMS[name]]


def _image(has: str, *argv: str) -> Image:
    return Image(frozenset(has.split()), argv or STAYS)


OFFICIAL = Image(frozenset(PROGRAMS), (START,), official=True)
# Tags such as 2.4.0-py3.11-cuda12.4.1: made before RunPod built all images on one base.
EARLY_OFFICIAL = Image(frozenset({"sshd", "python", "curl", "wget", "git"}), (START,), official=True)
# A shell or an interpreter ends at once where nothing is at its input, and then the pod restarts it for ever.
SHELL, PYTHON = ("/bin/sh",), ("/bin/sh", "-c", "exec python3")
KNOWN: dict[str, Image] = {
    "runpod/base:0.": EARLY_OFFICIAL,
    "runpod/pytorch:0.": EARLY_OFFICIAL,
    "runpod/pytorch:2.": EARLY_OFFICIAL,
    "runpod/pytorch:3.": EARLY_OFFICIAL,
    "runpod/worker-": _image("python"),
    "runpod/": OFFICIAL,
    "ubuntu": _image("", *SHELL),
    "debian": _image("", *SHELL),
    "alpine": _image("wget", *SHELL),
    "nvidia/cuda": _image("", *SHELL),
    "pytorch/pytorch": _image("python", *SHELL),
    "tensorflow/tensorflow": _image("python curl", *SHELL),
    "nvcr.io/nvidia/pytorch": _image("python curl wget git", *SHELL),
    "continuumio/miniconda3": _image("python git wget", *SHELL),
    "python:slim": _image("python", *PYTHON),
    "python": _image("python curl wget git", *PYTHON),
    "ghcr.io/astral-sh/uv": _image("uv", *SHELL),
    "vllm/vllm-openai": _image("python curl uv"),
    "ollama/ollama": _image(""),
}
"""By the beginning of the name; the first that fits counts. One without a slash or colon is a whole repository."""


@dataclass(frozen=True, slots=True)
class Images:
    """The known images, and what the user says about others."""

    said: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By name, with or without a tag."""

    def find(self, name: str) -> Image:
        """What is known about the image; an unknown one brings nothing and stays."""
        known = next((image for start, image in KNOWN.items() if fits(start, short(name))), _image(""))
        has = self.said.get(name, self.said.get(repository(name)))
        if has is None:
            return known
        argv = STARTS_SSHD if "sshd" in has and not known.official else known.argv
        return Image(has, argv, known.official)


def fits(start: str, name: str) -> bool:
    """Whether the name of the image begins so."""
    if start.endswith((".", "-", "/")):
        return name.startswith(start)
    wanted, _, tag = start.partition(":")
    return repository(name) == wanted and (not tag or tag in name.partition(":")[2])


def short(name: str) -> str:
    """The name as people write it: without the default registry."""
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name


def repository(name: str) -> str:
    """The name without tag and digest."""
    name = name.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def said(texts: Iterable[str]) -> Images:
    """The images as `NAME=has:sshd,python` says. Raises ValueError."""
    rows = {}
    for text in texts:
        name, _, what = text.partition("=")
        has = frozenset(word for word in what.removeprefix("has:").split(",") if word)
        unknown = sorted(has - PROGRAMS.keys())
        if not name or not what.startswith("has:") or unknown:
            word = f"{', '.join(unknown)}: unknown; " if unknown else ""
            raise ValueError(f"{word}write NAME=has:A,B with any of {', '.join(PROGRAMS)}, or NAME=has: for none")
        rows[name] = has
    return Images(rows)
