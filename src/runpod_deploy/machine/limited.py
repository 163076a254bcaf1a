"""A block of work that ends once its time is over, whatever it waits for. Knows checks; knows no time and no work.

Every wait, sleep, read and call of ours passes a checkpoint of `signals`, which asks the checks of all open blocks.
What a block calls may be slow, try again, or be held up on purpose by the other side: the block ends all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOOK_EVERY_S = 1.0
"""No wait in such a block is longer than this before the checks are asked again."""


class Block:
    """One open block, and what may end it."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.check = check
        self.over = False
        """Whether its end is on its way: what is cleaned up meanwhile is not disturbed again."""


class Over(BaseException):
    """On its way out of the block whose check has raised. What handles errors on the way does not stop it."""

    def __init__(self, block: Block, error: Exception) -> None:
        super().__init__(str(error))
        self.block, self.error = block, error


_open: ContextVar[tuple[Block, ...]] = ContextVar("open blocks", default=())
_held: ContextVar[bool] = ContextVar("whether no block may end now", default=False)


@contextmanager
def limited_by(check: Callable[[], None]) -> Iterator[None]:
    """The block ends with the error that `check` raises, at the first checkpoint where it raises one."""
    block = Block(check)
    earlier = _open.set((*_open.get(), block))
    try:
        yield
    except Over as over:
        if over.block is not block:
            raise
        raise over.error from None
    finally:
        _open.reset(earlier)


@contextmanager
def held() -> Iterator[None]:
    """No block ends in here; one whose time is over ends at the first checkpoint after it."""
    earlier = _held.set(True)
    try:
        yield
    finally:
        _held.reset(earlier)


def look() -> None:
    """Raises out of the outermost block whose check raises; of several with the same check, out of the innermost."""
    if _held.get():
        return
    for block in _open.get():
        if not block.over:
            ask(block)


def ask(block: Block) -> None:
    """Raises if the block's check does. A check ends one block, and those around it that share it go on."""
    try:
        block.check()
    except Exception as error:
        same = [other for other in _open.get() if other.check is block.check]
        for other in same:
            other.over = True
        raise Over(same[-1], error) from None


def longest_wait_s(seconds: float) -> float:
    """How long to wait before the next checkpoint, of that many seconds in all."""
    return min(seconds, LOOK_EVERY_S) if _open.get() else seconds
