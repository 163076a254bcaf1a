"""The cloud as a run needs it: the protocol that RunPod, the cloud of the tests and any other cloud keep."""

from __future__ import annotations

from typing import Protocol

from .values import Candidate, Offer, Pod, PodRequest


class Cloud(Protocol):
    """The cloud that rents pods. Every method is bounded in time and raises errors of `errors` only."""

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """All offers of one cloud; the stock is that of pods with so many GPUs, or so many vCPUs."""

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A new pod. Raises StockOut if this candidate has none, AnswerUnclear if one may exist all the same."""

    def find(self, name: str) -> list[Pod]:
        """The pods of that name, newest first, listed after this call began. It may lag behind a create."""

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod as a listing shows it that is at most so old and that many runs share: cheap, for waiting.

        None says only that it is not listed: ask `get` before believing that it is gone.
        """

    def get(self, pod_id: str) -> Pod | None:
        """The pod as the API says now, or None if there is no such pod (any more)."""

    def boot_stage(self, pod: Pod) -> str:
        """How far its boot has come: placing, image_pull, starting or sshd."""

    def start(self, pod_id: str) -> Pod:
        """A stopped pod on its way up. Raises StockOut if its host has no free GPU."""

    def stop(self, pod_id: str) -> None:
        """Asks for the pod to be stopped; no error if there is no such pod or it is stopped."""

    def delete(self, pod_id: str) -> None:
        """Asks for the pod to be deleted; no error if there is no such pod."""

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the one network volume of that name. Raises ConfigError on none or several."""
