"""The protocol of a cloud as a run needs it. RunPod's client implements it, and so does the cloud of the tests."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from .values import Candidate, LogLine, Offer, Pod, PodRequest


class Cloud(Protocol):
    """The cloud that rents pods. Every method is bounded in time and raises errors of `errors` only."""

    @property
    def account(self) -> str:
        """A hash that is different for each key, and so for each account. It does not show the key."""

    def proof(self, words: str) -> str:
        """32 hexadecimal digits that only a process with this account's key can make from these words."""

    def bounded(self, within_s: float) -> AbstractContextManager[None]:
        """Until the end of the block, no call takes longer than what is left of this time, or a few seconds."""

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """All offers of one cloud. Their stock is for pods with this many GPUs, or this many vCPUs."""

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A new pod. Raises StockOut if the candidate has no free GPU, AnswerUnclear if a pod may exist anyway."""

    def find(self, name: str, token: str = "") -> list[Pod]:
        """The pods that bear this token, newest first; without a token, those with this name that bear none.

        The listing begins after this call, and may lag behind a create.
        """

    def find_id(self, run_id: str, max_age_s: float = 0.0) -> list[Pod]:
        """The pods that bear this run id and any token, newest first, in a listing of at most this age."""

    def list_pods(self) -> list[Pod]:
        """All pods of the account as they are now, newest first."""

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod as shown by a listing of at most this age, which many runs share: cheap enough for a loop.

        None says only that the pod is not listed: ask `get` before believing that it is gone.
        """

    def get(self, pod_id: str) -> Pod | None:
        """The pod as the API describes it now; None if the API says that there is none, which may be a mistake."""

    def boot_stage(self, pod: Pod) -> str:
        """The stage of the pod's boot: placing, image_pull, starting or sshd."""

    def host_log(self, pod_id: str, *, fresh: bool = False) -> list[LogLine]:
        """The end of the pod's log, oldest line first; empty if there is none.

        It is as `boot_stage` last read it, which costs nothing, or with `fresh` as it is now. Never raises.
        """

    def credit_usd(self) -> float | None:
        """The account's balance in USD; None if it cannot be had. Never raises."""

    def start(self, pod_id: str) -> Pod:
        """A stopped pod on its way up. Raises StockOut if its host has no free GPU."""

    def stop(self, pod_id: str) -> bool:
        """Whether the API accepted to stop the pod, or has stopped it already; False if it knows no such pod."""

    def delete(self, pod_id: str) -> bool:
        """Whether the API accepted to delete the pod; False if it knows no such pod."""

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the network volume with this name. Raises ConfigError if there is none, or several."""
