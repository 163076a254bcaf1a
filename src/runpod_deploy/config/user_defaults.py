"""The user's own defaults: `~/.config/runpod-deploy/config.toml`, the lowest layer of every config. Knows TOML.

RunPod's own `~/.runpod/config.toml`, which holds the API key, is another file.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from ..errors import ConfigError
from ..machine.limits import PROJECT_FILE_BYTES
from ..machine.reading import read_limited
from ..spec.spelling import closest
from .document import Document, Position
from .finding import Loc
from .settings import defaults_file

SECTIONS = ("pod", "budget", "lifecycle", "ssh")
NAMES = (*SECTIONS, "on_end")
HEADER = re.compile(r"\s*\[\s*([\w.-]+)\s*\]")
KEY = re.compile(r"\s*([\w-]+)\s*=")
EXCLUSIVE = (("pod", "cpu", "gpu_order"), ("pod", "gpu_order", "cpu"))
"""If a config has the first field of a section, the default of the second would contradict it."""


def read_defaults() -> Document | None:
    """The user's defaults; None if there are none. Raises ConfigError for a file that cannot be used."""
    path = defaults_file()
    if path is None:
        return None
    try:
        raw = read_limited(path, PROJECT_FILE_BYTES)
        value = tomllib.loads(raw.decode())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{path}: cannot be read as TOML: {why}") from None
    document = Document(source=str(path), value=value, positions=dict(positions(raw.decode(), str(path))), raw=raw)
    refuse_unusable(document)
    return document


def positions(text: str, source: str) -> Iterator[tuple[Loc, Position]]:
    """The line of each section and of each key, as far as one key stands on one line."""
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            section = tuple(header[1].split("."))
            yield section, Position(source, number)
        elif key := KEY.match(line):
            yield (*section, key[1]), Position(source, number, line.partition("=")[2].strip().strip("\"'"))


def refuse_unusable(document: Document) -> None:
    """Raises ConfigError for what has no default, and for values that no config can hold."""
    for name, value in document.value.items():
        if name not in NAMES:
            guess = closest(name, NAMES)
            hint = f"did you mean {guess}?" if guess else f"it may have {', '.join(NAMES)}"
            raise ConfigError(str(document.finding((name,), "has no default here")), hint=hint)
        if not is_plain(value) or (name in SECTIONS and not isinstance(value, dict)):
            what = "must be a table" if name in SECTIONS else "must be text"
            raise ConfigError(str(document.finding((name,), f"{what} of texts, numbers, true and false")))


def is_plain(value: Any) -> bool:
    """Whether YAML could have such a value: no dates, and no endless numbers."""
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))


def fitting(defaults: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The defaults without those that would contradict what the config says."""
    found = {name: dict(value) if isinstance(value, dict) else value for name, value in defaults.items()}
    if "stop" in config:
        found.pop("lifecycle", None)
    for section, given, contradicted in EXCLUSIVE:
        if isinstance(config.get(section), dict) and given in config[section]:
            found.get(section, {}).pop(contradicted, None)
    return found
