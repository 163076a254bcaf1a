"""Copies of a run's journal and manifest in a place that outlives machines: a folder, or a URI that fsspec knows.

The copies are never read to carry a run out: they say how a run ended to whoever asks for its id again.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigError
from ..machine import background
from ..machine.files import PRIVATE, write_atomically
from ..machine.limits import RECORD_BYTES
from ..machine.reading import read_limited
from ..spec.strict_json import dumps, loads
from .paths import EVENTS_NAME, PRIVATE_DIR, RunDir

T = TypeVar("T")

MANIFEST_NAME = "manifest.json"
WITHIN_S = 10.0
"""How long the copies of one milestone may take. With a dead mount or a silent server, a call never ends."""


class SharedJournal:
    """The place of the copies of one run."""

    def __init__(self, place: str, run_id: str, within_s: float = WITHIN_S) -> None:
        self.place, self.run_id, self.within_s = place, run_id, within_s

    def put(self, run_dir: RunDir, hostname: str) -> None:
        """Journal and manifest are there as they are here now, with the machine that has them.

        Raises OSError; it is a TimeoutError if the place does not answer, and then a later call would wait as long.
        """
        self._bounded(lambda: self._put(run_dir, hostname))

    def _put(self, run_dir: RunDir, hostname: str) -> None:
        record = loads(read_limited(run_dir.manifest, RECORD_BYTES))
        record |= {"machine": hostname, "run_dir": str(run_dir.path)}
        self._write(EVENTS_NAME, run_dir.events.read_bytes())
        self._write(MANIFEST_NAME, (dumps(record, indent=2) + "\n").encode())

    def manifest(self) -> dict[str, Any]:
        """The manifest that lies there; empty if there is none. Raises ConfigError."""
        try:
            found = loads(self._bounded(lambda: self._read(MANIFEST_NAME)))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"--journal {self.place}: the manifest of run {self.run_id} cannot be read there: {error}",
                hint="nothing was started; mend the place, or leave --journal out",
            ) from error
        return found if isinstance(found, dict) and found.get("run_id") == self.run_id else {}

    def _bounded(self, action: Callable[[], T]) -> T:
        """What the action returns or raises; TimeoutError after some seconds. It cannot be stopped, only be left."""
        return background.call(action, within_s=self.within_s, leave=lambda: None)

    def _write(self, name: str, data: bytes) -> None:
        if "://" in self.place:
            files, path = remote(self.place)
            files.makedirs(f"{path}/{self.run_id}", exist_ok=True)
            files.pipe_file(f"{path}/{self.run_id}/{name}", data)
            return
        folder = Path(self.place) / self.run_id
        folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        write_atomically(folder / name, data.decode(errors="surrogateescape"), mode=PRIVATE, errors="surrogateescape")

    def _read(self, name: str) -> bytes:
        if "://" in self.place:
            files, path = remote(self.place)
            try:
                return bytes(files.cat_file(f"{path}/{self.run_id}/{name}", start=0, end=RECORD_BYTES))
            except FileNotFoundError:
                raise
            except Exception as error:  # each library has errors of its own, for a missing credential and the like
                raise OSError(f"{type(error).__name__}: {error}") from error
        return read_limited(Path(self.place) / self.run_id / name, RECORD_BYTES)


def remote(place: str) -> tuple[Any, str]:
    """The file system of a URI and the path in it. Raises ConfigError if a library for it is missing."""
    try:
        files, path = import_module("fsspec.core").url_to_fs(place)  # only a run that asks for it needs the library
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"--journal {place}: {error}",
            hint="`pip install 'runpod-deploy[journal]'` brings fsspec; s3:// needs s3fs, too, and gs:// needs gcsfs",
        ) from error
    return files, str(path).rstrip("/")
