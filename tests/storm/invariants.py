"""What a storm must never bring about, each with a name. Knows the cloud's own record; changes nothing."""

from __future__ import annotations


class Violation(BaseException):
    """An invariant does not hold. No code of ours that records errors sees this exception."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name}: {words}")
        self.name, self.words = name, words


NAMES = {
    "money": "a run costs its cap and the time to end it, by the cloud's own meter",
    "leak": "nothing bills that neither the policy keeps nor the last line of exit 9 names",
    "one pod": "a run has one pod at a time, unless its journal knows of another",
    "one start": "a job is started once",
    "foreign": "no pod of anybody else is touched",
    "write-ahead": "the journal on disk names a pod before the pod is asked for",
    "results": "success only with everything here; nothing is deleted before it is here, unless the policy says so",
    "truth": "manifest, journal, exit code and last line agree with each other and with the cloud",
    "idempotence": "to carry out again changes nothing",
    "order": "time never runs backwards in the journal",
    "bounded": "no wait without end",
    "calm": "without a fault, a job that does its work succeeds",
    "defect": "no error that the tool does not know",
}


def require(holds: object, name: str, words: str) -> None:
    """Raises Violation unless it holds."""
    if not holds:
        raise Violation(name, words)
