"""Files of variables such as `.env`, read by the rules of python-dotenv. Nothing in them is run. Knows no job."""

from __future__ import annotations

import io
import re
from importlib import import_module
from pathlib import Path

from .limits import SECRET_BYTES
from .reading import read_limited

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
READ_ONLY = {"UID", "EUID", "PPID", "BASHOPTS", "BASH_VERSINFO", "SHELLOPTS"}
"""Names that bash lets nobody set: a file for Docker Compose often has UID."""
OURS = re.compile(r"RUNPOD_(API_KEY|API_BASE_URL|POD_ID|DEPLOY_.*)")
"""Names that belong to this tool or to the pod. The key of the account is no business of a job."""


class EnvFileError(ValueError):
    """A file of variables that cannot be used. Its message holds no value."""


def read_env_file(path: Path) -> dict[str, str]:
    """The variables that a file sets, except those that are not for a job. Raises EnvFileError."""
    # It is loaded for such files only, since most runs have none.
    dotenv, parser = import_module("dotenv"), import_module("dotenv.parser")
    text = text_of(path)
    for binding in parser.parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and NAME.fullmatch(binding.key) is None):
            raise EnvFileError(f"cannot be read: line {binding.original.line} is not NAME=value")
    found = dotenv.dotenv_values(stream=io.StringIO(text))
    return {name: value for name, value in found.items() if value is not None and is_for_job(name)}


def text_of(path: Path) -> str:
    """The text of a file. Raises EnvFileError."""
    try:
        return read_limited(path, SECRET_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise EnvFileError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise EnvFileError("cannot be read: it is not UTF-8 text") from None


def is_for_job(name: str) -> bool:
    """Whether a variable of a file goes to the pod."""
    return name not in READ_ONLY and OURS.fullmatch(name) is None
