"""Pipes, devices and huge files in place of a config: an error at once, and no memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.config import load
from runpod_deploy.config.settings import key_of_file
from runpod_deploy.config.variables import read_vars_file
from runpod_deploy.errors import ConfigError


@pytest.mark.parametrize("kind", ["pipe", "device", "sparse"])
@pytest.mark.parametrize("read", [load, read_vars_file, key_of_file])
def test_it_is_refused(tmp_path: Path, kind: str, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "file"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.touch()
            os.truncate(path, 40 << 30)
    with pytest.raises(ConfigError, match=r"cannot be read|is larger than"):
        read(path)
