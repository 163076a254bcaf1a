"""The lock of a run: one process carries it out at a time."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from ..errors import ConfigError, RunBusy
from ..machine.files import lock_error, write_atomically
from ..machine.left_behind import has_open
from ..machine.limits import NOTE_BYTES
from ..machine.locks import refuse_other_names
from ..machine.reading import read_limited
from .paths import RunDir


class RunLock:
    """Allows one process per run. The kernel frees the lock when its holder dies, so it is never stale."""

    def __init__(self, run_dir: RunDir) -> None:
        self.path = run_dir.lock
        self.note = run_dir.lock_holder
        """The file that names the holder."""
        self._lock = FileLock(str(run_dir.lock), thread_local=False)

    def acquire(self, *, wait_s: float = 0.0) -> None:
        """The lock is ours. Raises RunBusy that names the holder, ConfigError where nothing can be locked."""
        try:
            refuse_other_names(self.path)
            self._lock.acquire(timeout=wait_s)
        except (Timeout, OSError, NotImplementedError) as error:
            words = lock_error(self.path.parent) or ("" if isinstance(error, Timeout) else str(error))
            if words:
                raise ConfigError(
                    f"{self.path.parent}: files cannot be locked there: {words}",
                    hint="use a project on a local disk, or an NFS server that has locks; nothing was started",
                ) from None
            raise self.busy() from None
        with suppress(OSError):  # only for people; a full disk may prevent it
            write_atomically(self.note, f"process {os.getpid()} on {socket.gethostname()}\n")

    def is_held(self) -> bool:
        """Whether another process holds the run right now. Raises OSError where that cannot be found out."""
        refuse_other_names(self.path)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return True
        self._lock.release()
        return False

    def holder_here(self) -> int | None:
        """The number of the process of this machine that holds the run now; None if none of this user's does."""
        found = re.fullmatch(r"process ([1-9][0-9]{0,9}) on (.+)", self.holder())
        pid = int(found[1]) if found and found[2] == socket.gethostname() else None
        return pid if pid is not None and has_open(pid, self.path) else None

    def busy(self) -> RunBusy:
        """The error for a run that another process holds."""
        return RunBusy(
            f"{self.path.parent}: another process holds this run: {self.holder()}",
            hint="follow it with `runpod-deploy status`, or wait until it has ended",
        )

    def holder(self) -> str:
        """The holder, as it named itself."""
        try:
            return read_limited(self.note, NOTE_BYTES).decode(errors="replace").strip() or "unknown"
        except OSError:
            return "unknown"

    @contextmanager
    def held(self, *, wait_s: float) -> Iterator[None]:
        """The lock is ours while the block runs. Raises RunBusy that names the holder."""
        self.acquire(wait_s=wait_s)
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """The lock is free."""
        self._lock.release()
