"""The host's log of a pod, kept before the pod is gone: nobody else has it then. Knows one file of the run dir."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict

from ..cloud.values import LogLine
from ..machine.files import open_own
from ..machine.limits import LONGEST_ROW_BYTES
from ..machine.reading import read_lines
from ..record.events import HostLogKept
from ..record.paths import RunDir
from ..run import Run

SHOWN_LINES = 10
"""How many lines an event holds."""


def keep_host_log(run: Run, pod_id: str) -> list[LogLine]:
    """The end of the pod's log, which is now in the run dir, and the host's last lines in the journal."""
    lines = run.world.cloud.host_log(pod_id, fresh=True)
    if lines:
        with suppress(OSError), open(run.dir.host_log, "a", encoding="utf-8", opener=open_own) as file:
            file.writelines(json.dumps({"pod_id": pod_id, **asdict(line)}) + "\n" for line in lines)
        run.record(HostLogKept(pod_id=pod_id, lines=tuple(host_lines(lines)[-SHOWN_LINES:])))
    return lines


def host_lines(lines: list[LogLine]) -> list[str]:
    """The lines that the host itself wrote."""
    return [line.text for line in lines if line.source == "system"]


def kept_lines(run_dir: RunDir) -> Iterator[LogLine]:
    """The lines that were kept of all pods of the run, oldest first."""
    with suppress(OSError):
        for row in read_lines(run_dir.host_log, LONGEST_ROW_BYTES):
            with suppress(ValueError, KeyError, TypeError, RecursionError):
                read = json.loads(row)
                yield LogLine(at=str(read["at"]), source=str(read["source"]), text=str(read["text"]))
