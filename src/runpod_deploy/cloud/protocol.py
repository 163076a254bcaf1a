"""The protocol of a cloud as a run needs it. RunPod's client implements it, and so does the cloud of the tests."""

from __future__ import annotations

from typing import Protocol

from .values import Candidate, Offer, Pod, PodRequest


class Cloud(Protocol):
    """The cloud that rents pods. Every method is bounded in time and raises errors of `errors` only."""

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """All offers of one cloud. Their stock is for pods with this many GPUs, or this many vCPUs."""

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A new pod. Raises StockOut if the candidate has no free GPU, AnswerUnclear if a pod may exist anyway."""

    def find(self, name: str) -> list[Pod]:
        """The pods with this name, newest first. The listing begins after this call, and may lag behind a create."""

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod as shown by a listing of at most this age, which many runs share: cheap enough for a loop.

        None says only that the pod is not listed: ask `get` before believing that it is gone.
        """

    def get(self, pod_id: str) -> Pod | None:
        """The pod as the API describes it now; None if there is no such pod, or not any more."""

    def boot_stage(self, pod: Pod) -> str:
        """The stage of the pod's boot: placing, image_pull, starting or sshd."""

    def start(self, pod_id: str) -> Pod:
        """A stopped pod on its way up. Raises StockOut if its host has no free GPU."""

    def stop(self, pod_id: str) -> None:
        """Asks for the pod to be stopped; no error if there is no such pod or it is stopped."""

    def delete(self, pod_id: str) -> None:
        """Asks for the pod to be deleted; no error if there is no such pod."""

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the network volume with this name. Raises ConfigError if there is none, or several."""
