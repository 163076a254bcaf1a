"""The modules of the earlier tool, under their names: `runpod_deploy.provider` is `provider.py` in this folder."""

from __future__ import annotations

from warnings import warn


def moved(module: str, stacklevel: int = 3) -> None:
    """A warning names the module and the new home of its names."""
    text = f"{module} is a module of the earlier tool: import its names from runpod_deploy (docs/migration.md)"
    warn(text, DeprecationWarning, stacklevel=stacklevel)
