"""Copies of a run's journal and manifest in a place that outlives machines: a folder, or a URI that fsspec knows.

The copies are never read to carry a run out: they say how a run ended to whoever asks for its id again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigError
from ..machine import background
from ..machine.files import copy_atomically, own_folder
from ..machine.limits import RECORD_BYTES, UPLOADED_JOURNAL_BYTES
from ..machine.reading import open_regular, read_limited, too_large
from ..spec.strict_json import dumps, loads
from .paths import EVENTS_NAME, PRIVATE_DIR, RunDir

T = TypeVar("T")

LOCAL = ("file://", "local://")
"""How fsspec names folders of this machine."""
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
        manifest = (dumps(record, indent=2) + "\n").encode()
        if (folder := folder_of(self.place)) is None:
            self._upload(run_dir.events, manifest)
            return
        folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        with own_folder(folder, self.run_id, make=True) as own, os.fdopen(open_regular(run_dir.events), "rb") as events:
            copy_atomically(events, own, EVENTS_NAME)
            copy_atomically(BytesIO(manifest), own, MANIFEST_NAME)

    def _upload(self, events: Path, manifest: bytes) -> None:
        """The copies are on a server. Raises OSError for a large journal, of which only the manifest is there then."""
        files, path = remote(self.place)
        files.makedirs(f"{path}/{self.run_id}", exist_ok=True)
        fits = events.stat().st_size <= UPLOADED_JOURNAL_BYTES
        if fits:
            files.pipe_file(f"{path}/{self.run_id}/{EVENTS_NAME}", read_limited(events, UPLOADED_JOURNAL_BYTES))
        files.pipe_file(f"{path}/{self.run_id}/{MANIFEST_NAME}", manifest)
        if not fits:
            raise too_large(events, UPLOADED_JOURNAL_BYTES, "only the manifest is copied: the journal")

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

    def _read(self, name: str) -> bytes:
        if (folder := folder_of(self.place)) is not None:
            with own_folder(folder, self.run_id) as own:
                return read_limited(name, RECORD_BYTES, own)
        files, path = remote(self.place)
        try:
            return bytes(files.cat_file(f"{path}/{self.run_id}/{name}", start=0, end=RECORD_BYTES))
        except FileNotFoundError:
            raise
        except Exception as error:  # each library has errors of its own, for a missing credential and the like
            raise OSError(f"{type(error).__name__}: {error}") from error


def folder_of(place: str) -> Path | None:
    """The folder of this machine that the place is; None for a URI of something else.

    fsspec is not asked for folders: it writes through links, which others may have put into a shared folder.
    """
    for scheme in LOCAL:
        place = place.removeprefix(scheme)
    return None if "://" in place else Path(place).expanduser()


def remote(place: str) -> tuple[Any, str]:
    """The file system of a URI and the path in it. Raises ConfigError if a library for it is missing."""
    if "::" in place:  # it may end at a folder of this machine
        raise ConfigError(f"--journal {place}: a chain of places", hint="name the last place of it alone")
    try:
        files, path = import_module("fsspec.core").url_to_fs(place)  # only a run that asks for it needs the library
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"--journal {place}: {error}",
            hint="`pip install 'runpod-deploy[journal]'` brings fsspec; s3:// needs s3fs, too, and gs:// needs gcsfs",
        ) from error
    return files, str(path).rstrip("/")
