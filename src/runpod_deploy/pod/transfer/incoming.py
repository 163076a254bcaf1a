"""The private folder beside an artifact's place in which files wait until they are verified.

Its name is random, so that no entry of another artifact can be there first. What an interrupted download has left in it
is used by the next one. Knows the local disk; knows no pod.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from .excludes import Excludes
from .place import Place
from .screening import RESERVED
from .tree import Tree
from .unpack import finish

FILES, APART = "files", "apart"


class Incoming:
    """The folder for one artifact, held by this process alone."""

    def __init__(self, parent: Place, target: Path) -> None:
        """`parent` is the open folder in which the target lies."""
        self._parent, self._target = parent, target
        prefix = f"{RESERVED}{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"
        self._name, self._outer = _earlier(parent, prefix) or _new(parent, prefix)
        with ExitStack() as held:
            held.callback(self._outer.close)
            self._outer.make_folder(FILES)
            self.files = held.enter_context(self._outer.below(FILES))
            self._recover()
            self._held = held.pop_all()

    def __enter__(self) -> Incoming:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """An empty folder is removed; one with files is kept for the next attempt."""
        with self._held:
            self._outer.remove_if_empty(FILES)
            self._parent.remove_if_empty(self._name)

    def remove(self) -> None:
        """The folder and all that is in it are gone."""
        self._parent.remove_tree(self._name)

    def become(self, name: str) -> None:
        """The folder of files is the folder of that name beside."""
        self._parent.move_in(self._outer, FILES, name)

    @contextmanager
    def apart(self, wanted: Tree) -> Iterator[Path]:
        """An empty folder into which another program may write; it begins with the files that are here.

        Afterwards, only the wanted files come back: regular files, cut to their listed size, with mode and time as
        listed if nothing was raised.
        """
        self._outer.make_folder(APART)
        with self._outer.below(APART) as apart:
            for path in wanted:
                apart.move_in(self.files, path, path)
        try:
            yield self._target.parent / self._name / APART
        except BaseException:
            self._recover()
            raise
        self._take_back(wanted)

    def _take_back(self, wanted: Tree) -> None:
        with self._outer.below(APART) as apart:
            for path, entry in wanted.items():
                found = apart.entry(path)
                if found is None or found.kind != "f":
                    continue
                with opened(apart.extend_file(path)) as handle:
                    os.ftruncate(handle, min(found.size, entry.size))
                    finish(handle, entry)
                self.files.move_in(apart, path, path)
        self._outer.remove_tree(APART)

    def _recover(self) -> None:
        """What another program has left apart is here, as older versions of files."""
        found = self._outer.entry(APART)
        if found is None or found.kind != "d":
            self._outer.remove(APART)
            return
        with self._outer.below(APART) as apart:
            for path, entry in apart.tree(Excludes(())).items():
                if entry.kind == "f":
                    with opened(apart.extend_file(path)) as handle:
                        os.utime(handle)  # so that it does not look like the listed file
                    self.files.move_in(apart, path, path)
        self._outer.remove_tree(APART)


def _earlier(parent: Place, prefix: str) -> tuple[str, Place] | None:
    """The folder of an earlier attempt that no other process uses."""
    for name in parent.private_folders(prefix):
        if outer := _held(parent, name, prefix):
            return name, outer
    return None


def _new(parent: Place, prefix: str) -> tuple[str, Place]:
    while True:
        name = prefix + secrets.token_hex(8)
        parent.make_private_folder(name)
        if outer := _held(parent, name, prefix):
            return name, outer


def _held(parent: Place, name: str, prefix: str) -> Place | None:
    """The folder, if no other process has it or has removed it."""
    outer = parent.below(name)
    if outer.lock() and name in parent.private_folders(prefix):
        return outer
    outer.close()
    return None


@contextmanager
def opened(handle: int) -> Iterator[int]:
    """The handle, closed at the end."""
    try:
        yield handle
    finally:
        os.close(handle)
