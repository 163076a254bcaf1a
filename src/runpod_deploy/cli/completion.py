"""Values that a shell offers after Tab: configs, and the variables of a config. Knows click; changes nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

ENDINGS = (".yaml", ".yml")


def configs(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The YAML files that begin so; any file or folder if there are none."""
    folder = Path(incomplete).parent if not incomplete.endswith("/") else Path(incomplete)
    with suppress(OSError):
        names = sorted(str(path) for path in folder.iterdir() if path.suffix in ENDINGS and path.is_file())
        if found := [name for name in names if name.startswith(incomplete)]:
            return [CompletionItem(name) for name in found]
    return [CompletionItem(incomplete, type="file")]


def variables(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=` for each variable of the config that was named before; none if it cannot be read."""
    from ..config.layers import read_layers
    from ..errors import DeployError

    words = [word for word in ctx.args if word.endswith(ENDINGS)]  # click has not read an option without its value
    config = ctx.params.get("file") or ctx.params.get("config") or next(iter(words), None)
    names: object = None
    with suppress(DeployError, OSError):
        names = read_layers(Path(config)).value.get("variables") if config else None
    found = [f"{name}=" for name in names] if isinstance(names, dict) else []
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]
