"""The API's errors, as it words them. Knows statuses and texts; knows no HTTP library."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

NO_CAPACITY = (
    "There are no longer any instances available with the requested specifications. Please refresh and try again."
)
NO_DISK_SPACE = "There are no longer any instances available with enough disk space."
HOST_FULL = "There are not enough free GPUs on the host machine to start this pod"
REGISTRY_NOT_FOUND = "Registry auth not found"
BALANCE_TOO_LOW = "Your account balance is too low to rent a pod. Please add funds to your account."


class Problem(Exception):
    """An error answer as defined by RFC 9457."""

    def __init__(
        self, status: int, detail: str, errors: list[str] | None = None, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        body: dict[str, Any] = {
            "title": _title(self.status),
            "status": self.status,
            "detail": self.detail,
        }
        return body if self.errors is None else body | {"errors": self.errors}


def _title(status: int) -> str:
    """The status in words; gateways use numbers that no standard names."""
    known = status in {each.value for each in HTTPStatus}
    return HTTPStatus(status).phrase.replace("Content", "Entity") if known else "Error"


def invalid(*errors: str) -> Problem:
    """The answer to a body or query that breaks the schema."""
    return Problem(422, "Request validation failed.", list(errors))


def bad(detail: str) -> Problem:
    """The answer to what the schema allows and the rules do not."""
    return Problem(400, detail)


def missing(thing: str = "resource") -> Problem:
    """The answer to an unknown id: the API names a pod, and nothing else."""
    return Problem(404, f"{thing} not found")
