"""The files that staging would upload: their sizes, secrets among them, and paths of home folders in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import islice

from ..config import Draft, Finding
from ..machine.files import real
from ..machine.reading import read_limited
from ..pod.transfer.excludes import Excludes
from ..pod.transfer.shipment import Shipment, ShippedFile, survey
from ..spec import DEFAULT_STAGING_EXCLUDES
from ..terminal.amounts import files, size
from .paths import local

TEXT_SUFFIXES = {".py", ".yaml", ".yml", ".toml", ".json", ".sh"}
LARGEST_TEXT_BYTES = 1 << 20
MOST_PER_FILE = 3
HOME_PATH = re.compile(r"/Users/[^/\s\"']+/|/home/[^/\s\"']+/|[A-Z]:\\{1,2}Users\\")
SECRET_NAMES = (
    ".env",
    ".env.*",
    "*.pem",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "*.p12",
    "*.pfx",
    "credentials*",
    ".netrc",
    ".pypirc",
    ".npmrc",
    "*.kdbx",
    "service-account*.json",
    "*secret*.json",
    "*.token",
)
HARMLESS_NAMES = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.pub")


def shipments_of(draft: Draft) -> list[Shipment]:
    """The files that each staging entry would upload."""
    return [survey(entry, draft.project_root) for entry in draft.trial.job.staging]


def upload_sizes(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """A note for each entry: the number of files, their size, and the ten largest."""
    for i, shipment in enumerate(shipments):
        message = f"uploads {files(len(shipment.files))}, {size(shipment.size_bytes)}, to {shipment.destination}"
        largest = ", ".join(f"{file.name} ({size(file.size_bytes)})" for file in shipment.largest)
        hint = f"largest: {largest}" if largest else ""
        yield draft.document.finding(("staging", i), message, level="note", hint=hint)


def secrets_among(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """Warnings for files that look like secrets."""
    for i, shipment in enumerate(shipments):
        names = [file.name for file in shipment.files if looks_secret(file.path.name)]
        for name in names:
            message, hint = (
                f"{name} looks like a secret and would be uploaded",
                "exclude it, and send it as a secret: secrets: [{env_file: .env}]",
            )
            yield draft.document.finding(("staging", i), message, level="warning", hint=hint)


def looks_secret(name: str) -> bool:
    """Whether files with this name usually contain secrets."""
    return any(fnmatch(name, p) for p in SECRET_NAMES) and not any(fnmatch(name, p) for p in HARMLESS_NAMES)


def home_paths(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """Warnings for paths of home folders, of this or another machine, in text files that would be uploaded."""
    preset = Excludes(DEFAULT_STAGING_EXCLUDES)
    for i, shipment in enumerate(shipments):
        for file in shipment.files:
            if is_text(file) and not in_preset(file.name, preset):
                for line, found in islice(homes_in(file), MOST_PER_FILE):
                    message = f"{file.name}:{line} names {found}, which is not on the pod"
                    yield draft.document.finding(("staging", i), message, level="warning")


def excluded_although_required(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """Warnings for required paths below a staged folder that its patterns exclude."""
    job = draft.trial.job
    shipped = {real(file.path) for shipment in shipments for file in shipment.files}
    sources = [real(local(draft, entry.source)) for entry in job.staging]
    for i, path in enumerate(job.local.required_paths):
        wanted = real(local(draft, path))
        staged = any(wanted.is_relative_to(source) for source in sources)
        if staged and wanted.exists() and not any(file.is_relative_to(wanted) for file in shipped):
            message = f"{path} is required here, but excluded from staging"
            yield draft.document.finding(("local", "required_paths", i), message, level="warning")


def is_text(file: ShippedFile) -> bool:
    """Whether a file is a text file that is small enough to read, and no link to a pipe or device."""
    return file.path.is_file() and file.path.suffix in TEXT_SUFFIXES and file.size_bytes <= LARGEST_TEXT_BYTES


def in_preset(name: str, preset: Excludes) -> bool:
    """Whether a file is in a cache or a version control folder."""
    parts = name.split("/")
    return any(preset.leave_out("/".join(parts[:n]), n < len(parts)) for n in range(1, len(parts) + 1))


def homes_in(file: ShippedFile) -> Iterator[tuple[int, str]]:
    """Line number and text of each path of a home folder in a file."""
    try:
        text = read_limited(file.path, LARGEST_TEXT_BYTES).decode(errors="replace")
    except OSError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if match := HOME_PATH.search(line):
            yield number, match[0]
