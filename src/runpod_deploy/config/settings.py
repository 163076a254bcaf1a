"""The settings of this user: API key, address, cache folder. Knows the environment; sends nothing."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import AuthRefused, ConfigError
from ..machine.limits import PROJECT_FILE_BYTES
from ..machine.reading import read_limited

DEFAULT_ORIGIN = "https://api.runpod.io"
NO_KEY_HINT = 'Set RUNPOD_API_KEY, or put `apikey = "..."` into ~/.runpod/config.toml.'

KEY_NAMES = ("apikey", "apiKey", "api_key")


IN_CLEAR = "over http:// anybody on the way could read the API key"
INSECURE_HINT = "use https://; if that network is yours alone, set RUNPOD_API_INSECURE=1"


@dataclass(frozen=True, slots=True)
class Settings:
    """Access to RunPod. The key is not shown when this object is printed."""

    found_key: str = field(repr=False)
    """The key; empty if there is none."""
    origin: str = DEFAULT_ORIGIN
    """Scheme and host of the API."""

    @property
    def api_key(self) -> str:
        """The key. Raises AuthRefused if there is none, so that commands which need no key work without it."""
        if not self.found_key:
            raise AuthRefused("no RunPod API key found", hint=NO_KEY_HINT)
        return self.found_key

    @property
    def api_base_url(self) -> str:
        """The address of the REST API."""
        return f"{self.origin}/v2"

    @property
    def graphql_url(self) -> str:
        """The address of the GraphQL API, which is only used for the balance."""
        return f"{self.origin}/graphql"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this user. Raises ConfigError for a setting that cannot be read, AuthRefused for a bad key."""
    env = os.environ if environ is None else environ
    key = env.get("RUNPOD_API_KEY", "").strip() or key_of_file(Path("~/.runpod/config.toml").expanduser())
    if not key.isascii() or not key.isprintable():
        raise AuthRefused("the API key contains characters that no key has", hint=NO_KEY_HINT)
    origin = api_origin(env.get("RUNPOD_API_BASE_URL", "").strip() or DEFAULT_ORIGIN)
    if not is_confidential(origin) and env.get("RUNPOD_API_INSECURE") != "1":
        raise ConfigError(f"RUNPOD_API_BASE_URL is {origin}: {IN_CLEAR}", hint=INSECURE_HINT)
    return Settings(key, origin)


def environment() -> dict[str, str]:
    """A copy of this process's environment: where a run finds the values of its secrets."""
    return dict(os.environ)


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder in which the processes of this user share the account's rate limit and listings."""
    env = os.environ if environ is None else environ
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "runpod-deploy"


def runtime_dir(environ: Mapping[str, str] | None = None) -> Path | None:
    """The private folder of the user's session; None if the system gives none."""
    env = os.environ if environ is None else environ
    path = Path(env.get("XDG_RUNTIME_DIR", ""))
    return path if path.is_absolute() else None


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for what must be private and cannot be so where it belongs."""
    env = os.environ if environ is None else environ
    return Path(env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "runpod-deploy"


def defaults_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """The file with the user's defaults: in the folder for configs, or the one that RUNPOD_DEPLOY_CONFIG names.

    None if that variable is empty: then a config means the same for every user. Raises ConfigError if it names no file.
    """
    env = os.environ if environ is None else environ
    if (named := env.get("RUNPOD_DEPLOY_CONFIG")) is not None:
        if named and not Path(named).expanduser().is_file():
            raise ConfigError(
                f"RUNPOD_DEPLOY_CONFIG names {named}, which is no file", hint="leave it empty for no defaults"
            )
        return Path(named).expanduser() if named else None
    try:
        return Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "runpod-deploy" / "config.toml"
    except RuntimeError:  # this user has no home folder
        return None


def key_of_file(path: Path) -> str:
    """The key in a config.toml: at the top, where runpodctl writes it, in [default], as the Python client does, or
    else in any other table.

    Empty if there is no such file, or no key in it. Raises ConfigError if the file cannot be read.
    """
    try:
        content: dict[str, Any] = tomllib.loads(read_limited(path, PROJECT_FILE_BYTES).decode())
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        # The parser's message would quote the line, and that line may hold the key.
        raise ConfigError(f"{path}: cannot be read as TOML", hint=NO_KEY_HINT) from None
    return next((key.strip() for key in keys_in(content) if key.strip()), "")


def keys_in(table: Mapping[str, Any]) -> Iterator[str]:
    """Every key in the table: its own, then those in its table `default`, then those in other tables."""
    yield from (value for name in KEY_NAMES if isinstance(value := table.get(name), str))
    for name in sorted(table, key=lambda name: name != "default"):
        if isinstance(table[name], dict):
            yield from keys_in(table[name])


def api_origin(url: str) -> str:
    """The address without a trailing slash or `/v2`. Raises ConfigError if it is not an address."""
    origin = url.rstrip("/").removesuffix("/v2").rstrip("/")
    try:
        parts = urlsplit(origin)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise ConfigError(f"RUNPOD_API_BASE_URL is not an address: {url!r}", hint=f"The default is {DEFAULT_ORIGIN}.")
    return origin


def is_confidential(origin: str) -> bool:
    """Whether nobody on the way can read what is sent there: it goes over TLS, or does not leave this machine."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    try:
        return parts.scheme == "https" or ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_key(api_key: str) -> str:
    """The key, if it can be sent. Raises AuthRefused if not; the message does not show the key."""
    if not api_key:
        raise AuthRefused("there is no RunPod API key", hint=NO_KEY_HINT)
    if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        raise AuthRefused("the RunPod API key holds spaces or characters that no key has", hint=NO_KEY_HINT)
    return api_key
