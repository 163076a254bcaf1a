"""Values that a shell offers after Tab: configs, variables, GPUs, datacenters. Knows click; changes nothing."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

ENDINGS = (".yaml", ".yml")
DATACENTER = re.compile(rb'"([A-Z]{2,4}-[A-Z]{2,4}-\d{1,2})"')
CATALOGUE_BYTES = 4 << 20
"""More than a stored catalogue has."""


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
    names = config_of(ctx).get("variables")
    found = [f"{name}=" for name in names] if isinstance(names, dict) else []
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]


def config_of(ctx: click.Context) -> dict[str, object]:
    """The sections of the config that was named before, with those of its base layers; empty if it cannot be read."""
    from ..config.layers import read_layers
    from ..errors import DeployError

    words = [word for word in ctx.args if word.endswith(ENDINGS)]  # click has not read an option without its value
    config = ctx.params.get("file") or ctx.params.get("config") or next(iter(words), None)
    with suppress(DeployError, OSError):
        return dict(read_layers(Path(config)).value) if config else {}
    return {}


def gpu_ids(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of the GPUs that begin so or contain that text, in any case."""
    from ..config.gpus import GPU_IDS

    return [CompletionItem(gpu_id) for gpu_id in GPU_IDS if incomplete.lower() in gpu_id.lower()]


def datacenters(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The datacenters of the config that was named before, and of the catalogues that runs here have read lately."""
    from ..config.settings import cache_dir
    from ..machine.reading import read_limited

    known = set(_datacenters_of(config_of(ctx)))
    for path in sorted(cache_dir().glob("*/gpus-*.json")):
        with suppress(OSError):
            known.update(name.decode() for name in DATACENTER.findall(read_limited(path, CATALOGUE_BYTES)))
    return [CompletionItem(name) for name in sorted(known) if name.startswith(incomplete.upper())]


def _datacenters_of(config: dict[str, object]) -> list[str]:
    pod = config.get("pod")
    named = pod.get("datacenters") if isinstance(pod, dict) else None
    return [str(name) for name in named] if isinstance(named, list) else []
