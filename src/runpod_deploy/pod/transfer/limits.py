"""How much a pod may send. Whatever a pod does, memory here stays small and the disk takes no more than was listed.

The pod is not trusted: its listing, its checksums and its tar stream may be of any size. Each limit is far above what
real results need, so that only a broken or hostile pod meets it. Knows numbers; knows no protocol.
"""

from __future__ import annotations

MAX_ENTRIES = 150_000
"""Entries of one listing. More files are better packed on the pod, where they also download faster."""
LISTING_BYTES = 24 << 20
"""Bytes of one listing: 120,000 entries with paths of 170 bytes."""
TREE_BYTES = 40 << 20
"""Bytes that one listing takes in memory: 150,000 entries with paths of 30 characters, 90,000 with such of 200. One
wide character makes a path four times as large. A download holds up to two listings."""
NAMED_BYTES = 200
"""Bytes that an entry takes besides its path and target."""
PATH_BYTES = 4096
"""Bytes of a path below the artifact, and of a link's target: PATH_MAX of Linux."""
NAME_BYTES = 255
"""Bytes of one name: NAME_MAX of Linux and macOS."""
MAX_DEPTH = 128
"""Folders within each other. Python removes a tree with one open handle for each level, and macOS allows 256."""
MAX_LINKS = 40
"""Links that one path may lead through, as in Linux."""
MAX_STEPS = 2_000_000
"""Names that are looked up for all links of one listing: some seconds. Real links lead through a few names each."""
FOLLOW_STEPS = 8_000_000
"""Names that are looked up while links are followed that do not lead to an entry at once: some ten seconds."""
MAX_ROUNDS = 4
"""How often links are followed that lie in what earlier links point to."""
FILE_BYTES = 1 << 60
"""Bytes of one file. No disk is larger."""
OLDEST_MTIME, NEWEST_MTIME = -(1 << 31), (1 << 34) - 1
"""Times that ext4 can store, in seconds since 1970; others become the nearest of these."""
HEADER_BYTES = 64 << 10
"""Bytes of a tar header that holds a long name or pax records: two paths of 4 kB, and room for other records."""
GROWTH_BYTES = 256 << 20
"""Bytes that a tar stream may have beyond the listed files, because files grow after they were listed."""
ENTRY_OVERHEAD_BYTES = 4096
"""Bytes that tar may need for one file besides its content and twice its path: headers and padding."""
ARCHIVE_BYTES = 10240
"""Bytes of padding at the end of an archive; xargs makes one archive for at least ARGUMENT_BYTES of paths."""
ARGUMENT_BYTES = 4096
DIGEST_BYTES = 72
"""Bytes of a line of checksums besides the path."""
SHOWN_CHARS = 200
"""Characters of a name from the pod in a message."""


def shown(name: str) -> str:
    """A name from the pod for a message: quoted, without control characters, not too long."""
    text = repr(name)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
