"""The numbers of an artifact with `metrics: true`, read once it is here. Knows the file; knows no transfer."""

from __future__ import annotations

from pathlib import Path

from ..machine.limits import METRICS_FILE_BYTES
from ..machine.reading import read_limited
from ..record.events import ArtifactMetricsRead, ArtifactMetricsUnreadable
from ..record.reported import Numbers, reported, values_in
from ..run import Run
from ..spec import ArtifactPullSpec
from ..spec.strict_json import loads

ERROR_CHARS = 500


def record_metrics(run: Run, entry: ArtifactPullSpec) -> None:
    """The journal has the numbers of the artifact if it is one with metrics.

    A file that cannot be read is only named, and only once the job has ended: until then it may be half written.
    """
    if not entry.metrics:
        return
    try:
        numbers = numbers_in(entry.landing(run.spec.project_root))
    except (OSError, ValueError) as error:
        if run.state.job.ended:
            run.record(ArtifactMetricsUnreadable(label=entry.label, error=str(error)[:ERROR_CHARS]))
        return
    if reported(run.state.job.metrics, numbers) != run.state.job.metrics:
        run.record(ArtifactMetricsRead(label=entry.label, metrics=dict(numbers)))


def numbers_in(path: Path) -> Numbers:
    """The numbers in a file with one JSON object. Raises OSError, ValueError."""
    found = loads(read_limited(path, METRICS_FILE_BYTES))
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is not a JSON object")
    if not (numbers := reported((), values_in(found))):
        raise ValueError(f"{path.name} has no numbers")
    return numbers
