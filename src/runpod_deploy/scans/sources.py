"""Files that staging would upload and that will not work on the pod: Windows line ends, placeholders, broken links."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..config import Draft, Finding
from ..config.rendering import shell_texts
from ..machine.reading import open_regular
from ..pod.transfer.shipment import Shipment, ShippedFile
from .paths import local

SCRIPT_SUFFIXES = {".sh", ".bash"}
LARGEST_SCRIPT_BYTES = 1 << 20
POINTER = b"version https://git-lfs.github.com/spec/v1"
POINTER_BYTES = range(100, 400)
MOST_NAMED = 5


def windows_scripts(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """Warnings for scripts with Windows line ends that the job or a command calls: no shell on the pod runs them."""
    called = " ".join(text for _, text in shell_texts(draft.trial.job))
    for i, shipment in enumerate(shipments):
        for file in shipment.files:
            if is_called(file, called) and is_windows_script(file):
                message = f"{file.name} has Windows line ends, and cannot be run on the pod"
                hint = f"convert it: sed -i 's/\\r$//' {file.name}"
                yield draft.document.finding(("staging", i), message, level="warning", hint=hint)


def is_called(file: ShippedFile, text: str) -> bool:
    """Whether shell text names the file."""
    if file.path.name not in text:
        return False
    name = re.escape(file.path.name)
    return re.search(rf"(?<![\w.-]){name}(?![\w-])", text) is not None


def is_windows_script(file: ShippedFile) -> bool:
    """Whether a file is a script whose first lines end as on Windows."""
    if file.size_bytes > LARGEST_SCRIPT_BYTES:
        return False
    content = beginning(file.path, LARGEST_SCRIPT_BYTES)
    return b"\r\n" in content and (file.path.suffix in SCRIPT_SUFFIXES or content.startswith(b"#!"))


def large_file_pointers(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """A warning for each entry with placeholders that Git LFS left in the place of large files."""
    for i, shipment in enumerate(shipments):
        names = [file.name for file in shipment.files if is_pointer(file)]
        if names:
            message = f"placeholders of Git LFS would be uploaded, not the files: {some(names)}"
            yield draft.document.finding(("staging", i), message, level="warning", hint="run `git lfs pull` first")


def is_pointer(file: ShippedFile) -> bool:
    """Whether a file is a placeholder of Git LFS."""
    return file.size_bytes in POINTER_BYTES and beginning(file.path, len(POINTER)) == POINTER


def dangling_links(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """A warning for each entry with links that lead nowhere."""
    for i, shipment in enumerate(shipments):
        names = [file.name for file in shipment.files if file.path.is_symlink() and not file.path.exists()]
        if names:
            message = f"links that lead nowhere would be uploaded: {some(names)}"
            yield draft.document.finding(("staging", i), message, level="warning", hint="remove or exclude them")


def links_out(draft: Draft, shipments: list[Shipment]) -> Iterator[Finding]:
    """A warning for each entry with links that lead out of its source, and are uploaded as links."""
    for i, shipment in enumerate(shipments):
        if shipment.links_out:
            message = f"links that lead out of the source would be uploaded as links: {some(list(shipment.links_out))}"
            hint = "follow_links: true uploads what they point to; exclude them if the pod needs neither"
            yield draft.document.finding(("staging", i), message, level="warning", hint=hint)


def windows_secrets(draft: Draft) -> Iterator[Finding]:
    """Warnings for files of secrets with Windows line ends: a shell that sources them gets values that end in CR."""
    for i, secret in enumerate(draft.trial.job.secrets):
        if secret.file and beginning(local(draft, secret.file), LARGEST_SCRIPT_BYTES).rstrip(b"\n").endswith(b"\r"):
            message = f"{secret.file} has Windows line ends: values that a shell reads from it end in a carriage return"
            yield draft.document.finding(("secrets", i, "file"), message, level="warning")


def beginning(path: Path, count: int) -> bytes:
    """The first bytes of a file; none if it cannot be read, or is a link to something else than a file."""
    try:
        if not path.is_file():
            return b""
        with os.fdopen(open_regular(path), "rb") as file:
            return file.read(count)
    except OSError:
        return b""


def some(names: list[str]) -> str:
    """The first of the names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
