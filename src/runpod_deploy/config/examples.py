"""Jobs to start from, which come with the program: a config each, and the files that it needs.

Knows where they are, in a checkout and in an installed package; knows nothing of what they say.
"""

from __future__ import annotations

from pathlib import Path

INSTALLED = Path(__file__).parents[1] / "examples"
CHECKOUT = Path(__file__).parents[3] / "examples"
LEFT_BY_RUNS = frozenset({"artifacts", "out", "results", "__pycache__", "README.md"})


def example_names() -> list[str]:
    """The names of all examples: each is a folder with a config of the same name."""
    return sorted(config.stem for config in _folder().glob("*/*.yaml") if config.stem == config.parent.name)


def example_files(name: str, config_name: str) -> dict[str, Path]:
    """The files of an example by their path in a project, where its config has this name."""
    folder = _folder() / name
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    places = {path.relative_to(folder): path for path in paths}
    kept = {place: path for place, path in places.items() if LEFT_BY_RUNS.isdisjoint(place.parts)}
    return {config_name if str(place) == f"{name}.yaml" else str(place): path for place, path in kept.items()}


def _folder() -> Path:
    return INSTALLED if INSTALLED.is_dir() else CHECKOUT
