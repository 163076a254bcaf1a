"""Files of variables such as `.env`, read by the rules of python-dotenv. Nothing in them is run. Knows no job.

A file may be a stranger's. A `${NAME}` in it stands for a variable of the file alone: one of this machine's environment
may be the account's key, and all of it goes to the pod.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from .limits import ENV_FILE_BYTES, ENV_FILE_LINES
from .reading import read_limited

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
READ_ONLY = {"UID", "EUID", "PPID", "BASHOPTS", "BASH_VERSINFO", "SHELLOPTS"}
"""Names that bash lets nobody set: a file for Docker Compose often has UID."""
OURS = re.compile(r"RUNPOD_(API_KEY|API_BASE_URL|POD_ID|DEPLOY_.*)")
"""Names that belong to this tool or to the pod. The key of the account is no business of a job."""

MOST_REFERENCES = 1000
"""References in one value: the time to find them grows with the square of their number."""


class EnvFileError(ValueError):
    """A file of variables that cannot be used. Its message holds no value."""


def read_env_file(path: Path) -> dict[str, str]:
    """The variables that a file sets, except those that are not for a job. Raises EnvFileError."""
    found: dict[str, str] = {}
    size = 0
    for line, name, text in given(text_of(path)):
        found[name] = expanded(line, text, found)
        size += len(found[name])
        if size > ENV_FILE_BYTES:
            raise EnvFileError(f"cannot be used: the values up to line {line} are too long")
    return {name: value for name, value in found.items() if is_for_job(name)}


def given(text: str) -> Iterator[tuple[int, str, str]]:
    """The line, the name and the value as written of each variable. Raises EnvFileError."""
    # It is loaded for such files only, since most runs have none.
    parser = import_module("dotenv.parser")
    for binding in parser.parse_stream(io.StringIO(text)):
        line = binding.original.line
        if binding.error or (binding.key is not None and NAME.fullmatch(binding.key) is None):
            raise EnvFileError(f"cannot be read: line {line} is not NAME=value")
        if line > ENV_FILE_LINES:
            raise EnvFileError(f"cannot be used: it has more than {ENV_FILE_LINES:,} lines")
        if binding.key is not None and binding.value is not None:
            yield line, binding.key, binding.value


def expanded(line: int, text: str, known: Mapping[str, str]) -> str:
    """The value with its `${NAME}` replaced by the values above it. Raises EnvFileError."""
    if text.count("${") > MOST_REFERENCES:
        raise EnvFileError(f"cannot be used: line {line} names more than {MOST_REFERENCES:,} variables")
    parts: list[str] = []
    for part in import_module("dotenv.variables").parse_variables(text):
        name = getattr(part, "name", None)
        if name is not None and name not in known and part.default is None:
            raise EnvFileError(f"cannot be used: line {line} names ${{{name}}}, which no line above it sets")
        parts.append(part.resolve(known))
        if sum(map(len, parts)) > ENV_FILE_BYTES:
            raise EnvFileError(f"cannot be used: the value on line {line} is too long")
    return "".join(parts)


def text_of(path: Path) -> str:
    """The text of a file. Raises EnvFileError."""
    try:
        return read_limited(path, ENV_FILE_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise EnvFileError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise EnvFileError("cannot be read: it is not UTF-8 text") from None


def is_for_job(name: str) -> bool:
    """Whether a variable of a file goes to the pod."""
    return name not in READ_ONLY and OURS.fullmatch(name) is None
