"""One YAML file in, one finished GPU job on RunPod out. From Python: every name of `runpod_deploy.api`."""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import *  # noqa: F403 - so that type checkers see what __getattr__ finds

__version__ = "1.0.0.dev0"

# Modules of the earlier tool (`runpod_deploy.provider`), looked for after our own: scripts import from them.
__path__.append(str(Path(__file__).parent / "api" / "compat" / "modules"))  # noqa: F405


if not TYPE_CHECKING:  # for a type checker, this function would make every misspelt name valid

    def __getattr__(name: str) -> Any:
        """A name of the public API, which is loaded when it is first asked for: every start of a command is felt."""
        if name == "__all__":  # asked for by `import *`
            return [*import_module(f"{__name__}.api").__all__, "__version__"]
        # Modules of ours are asked for here too, before they are imported: they must not load the API.
        if not name.startswith("_") and PathFinder.find_spec(f"{__name__}.{name}", __path__) is None:  # noqa: F405
            api = import_module(f"{__name__}.api")
            if name in api.__all__:
                return getattr(api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What this module offers, for those who look around."""
    return sorted({*globals(), *import_module(f"{__name__}.api").__all__})
