"""Links on the pod that are followed for a download. Knows the connection; the rules are those of `following`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...errors import ArtifactMissing
from ..ssh import Connection
from .excludes import Excludes
from .following import follow
from .limits import LISTING_BYTES
from .listing import END, LISTING_S, End, RemoteListing, below_command, ends_command, nul_list, parse_below, parse_ends
from .tree import Tree


def with_links(connection: Connection, there: RemoteListing, excludes: Excludes) -> RemoteListing:
    """The listing of a folder with what its links point to.

    Raises ArtifactMissing if that cannot be listed, BadListing and Unreachable.
    """

    def ask(paths: Iterable[str]) -> dict[str, End]:
        return parse_ends(output_of(connection, ends_command(there.path), paths))

    def below(folders: Tree) -> Tree:
        return parse_below(output_of(connection, below_command(there.path), folders), excludes, folders)

    found = follow(there.tree, excludes, ask, below, there.path)
    return replace(there, tree=found.tree, replaced=found.replaced, refused=found.refused, unresolved=found.unresolved)


def output_of(connection: Connection, command: str, paths: Iterable[str]) -> bytes:
    """The complete output of a command for these paths."""
    received = 0

    def count(output: bytes) -> None:
        nonlocal received
        received += len(output)
        if received > LISTING_BYTES:
            raise ArtifactMissing(f"more than {LISTING_BYTES} bytes of file names behind links")

    names = nul_list(paths)
    ended = connection.run(command, stdin=names, timeout_s=LISTING_S, keep_bytes=LISTING_BYTES, on_output=count)
    if not ended.stdout.endswith(END):
        words = ended.stderr.decode(errors="replace").strip() or f"exit code {ended.exit_code}"
        raise ArtifactMissing(f"cannot follow links on the pod: {words}")
    return ended.stdout
