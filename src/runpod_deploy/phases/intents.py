"""Intents: events that must be on disk before the call that they announce."""

from __future__ import annotations

from ..errors import ConfigError
from ..record.events import Event
from ..run import Run


def record_intent(run: Run, event: Event) -> None:
    """The event is on disk. Raises ConfigError if it cannot be written: then nothing may be asked of the cloud."""
    try:
        run.record(event, must=True)
    except OSError as error:
        raise ConfigError(
            f"{run.dir.events}: cannot write the journal: {error.strerror}",
            hint="make room on that disk and run again; no pod was created or started, "
            "because there would be no record of it",
        ) from error
