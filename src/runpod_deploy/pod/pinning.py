"""The step that pins the pod's Python: shell text for `pod.python_version`. Pure."""

from __future__ import annotations

import re
import shlex

from ..spec import CommandSpec

TIMEOUT_S = 900
INSTALLER = "https://astral.sh/uv/install.sh"
REPORT = re.compile(r"^python_version: (\S+)$", re.MULTILINE)


def pin_python(version: str) -> CommandSpec:
    """A command after which uv has that version. It prints the exact version. UV_PYTHON makes uv use it (shell.py).

    Nothing is written to the volume, which other pods may share.

    The image's own `python3` and its packages are not changed. uv is taken from PATH or from ~/.local/bin, where its
    installer puts it by default, or else installed into /usr/local/bin, which is on every command's PATH.
    """
    script = f"version={shlex.quote(version)}\n{SCRIPT}"
    return CommandSpec(command=script, timeout_sec=TIMEOUT_S)


def pinned_version(output: str) -> str | None:
    """The exact version in the output of that command, or None."""
    found = REPORT.findall(output)
    return found[-1] if found else None


# UV_INSTALL_DIR and UV_NO_MODIFY_PATH: docs.astral.sh/uv/reference/installer, 2026-11.
SCRIPT = f"""\
set -eu
PATH="$PATH:$HOME/.local/bin"
export PATH
if ! command -v uv >/dev/null 2>&1; then
  UV_INSTALL_DIR="${{UV_INSTALL_DIR:-/usr/local/bin}}"
  UV_NO_MODIFY_PATH=1
  PATH="$PATH:$UV_INSTALL_DIR"
  export UV_INSTALL_DIR UV_NO_MODIFY_PATH PATH
  if command -v curl >/dev/null 2>&1; then
    curl -LsSf {INSTALLER} | sh
  elif command -v wget >/dev/null 2>&1; then
    wget -qO- {INSTALLER} | sh
  else
    python3 -m pip install --quiet --break-system-packages uv || python3 -m pip install --quiet uv
  fi
fi
uv python install "$version"
python=$(uv python find "$version")
echo "python_version: $("$python" -c 'import platform; print(platform.python_version())')"
"""
