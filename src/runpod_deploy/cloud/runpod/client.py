"""The `Cloud` protocol over RunPod's API. Knows which call does what; `wire` sends them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ...errors import AnswerUnclear, CloudUnreachable, ConfigError, DeployError, OddRow, OnRetry, StockOut
from ...machine.clock import Clock
from ...machine.limits import ANSWER_BYTES, LIST_ROWS
from ..pod_search import pods_of_run, pods_with_id
from ..values import Candidate, LogLine, Offer, Pod, PodRequest
from . import catalogue, shapes
from .balance import BALANCE_CALL, Balance, as_balance
from .bills import Bill, as_billed_through, as_bills, bills_call, last_days_call
from .boot import BootStages
from .calls import Call, Rank
from .key import account_folder, account_hash, proof
from .logs import log_call, log_lines
from .pace import Pace
from .reading import (
    OnOdd,
    Row,
    each,
    next_cursor,
    page_rows,
    parsing,
    read_pod,
    read_pods,
    shortened,
    without_secrets,
)
from .shared_list import SharedList
from .wire import Wire

STOPPED_STATUSES = ("EXITED", "TERMINATED")
PAGE_SIZE = "1000"
STOCK_AGE_S = 10.0
LOG_TIMEOUT_S = 5.0
"""The longest time that one log is read, if it never pauses."""
MAX_PAGES = 50
"""The limit for a list whose cursor never ends."""


class RunPodCloud:
    """RunPod's API v2 at one origin with one key. Every method is bounded in time and raises a DeployError only."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        clock: Clock,
        on_retry: OnRetry | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        self._clock = clock
        self._account = account_hash(api_key)
        self._prove = partial(proof, api_key)
        self._folder = folder = account_folder(cache_dir, api_key, base_url)
        self._pace = Pace(clock, folder)
        self._wire = Wire(api_key, base_url, clock, self._pace, on_retry)
        self._listing = SharedList(self._list_rows, clock, folder, limit=self._pace.window)
        self._boot = BootStages(clock, self.logs)
        self._on_retry = on_retry
        self._skipped: set[str] = set()
        """The odd rows that were reported."""

    def bounded(self, within_s: float) -> AbstractContextManager[None]:
        """Until the end of the block, no call takes longer than what is left of this time, or a few seconds."""
        return self._wire.bounded(within_s)

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """All offers of one cloud, including those for the cloud as a whole (datacenter "")."""
        if cpu:
            size = shapes.vcpus(vcpu_count)
            return self._cpu_offers(size) if cloud_type == "SECURE" else []
        rows = self._catalogue_rows("gpus", catalogue.gpu_query(cloud_type, gpu_count))
        return catalogue.gpu_offers(rows, cloud_type, gpu_count, self._on_odd("read the GPU catalogue"))

    def _cpu_offers(self, vcpu_count: int) -> list[Offer]:
        rows = self._catalogue_rows("cpus", catalogue.cpu_query(vcpu_count))
        return catalogue.cpu_offers(rows, vcpu_count, self._on_odd("read the CPU catalogue"))

    def _catalogue_rows(self, kind: str, query: dict[str, str]) -> list[Row]:
        """The rows, at most STOCK_AGE_S old: many runs that wait for stock send no more requests than one."""
        name = "-".join((kind, *query.values())).lower()

        def fetch() -> list[Row]:
            return self._rows(f"/v2/catalog/{kind}", kind, "read the catalogue", query)

        return SharedList(fetch, self._clock, self._folder, name, self._pace.window).rows(STOCK_AGE_S)

    def datacenter_ids(self) -> list[str]:
        """The ids of all datacenters, sorted."""
        what = "read the list of datacenters"
        rows = self._rows("/v2/catalog/datacenters", "dataCenters", what, {})
        return sorted(each(rows, lambda row: str(row["id"]), self._on_odd(what)))

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A new pod. Raises StockOut if the candidate has none, AnswerUnclear if one may exist all the same."""
        where = candidate.datacenter_id or candidate.cloud_type
        what = f"create pod {request.name} with {candidate.gpu_id} in {where}"
        call = Call(method="POST", path="/v2/pods", what=what, body=shapes.create_body(request, candidate))
        return read_pod(self._wire.send(call), call)

    @property
    def account(self) -> str:
        """A hash of the key."""
        return self._account

    def proof(self, words: str) -> str:
        """A keyed hash of the words."""
        return self._prove(words)

    def find(self, name: str, token: str = "") -> list[Pod]:
        """The pods that bear this token, or have this name and no token, newest first; listed after this call began."""
        return pods_of_run(self._pods(self._listing.rows(0.0)), self.get, name=name, token=token)

    def find_id(self, run_id: str, max_age_s: float = 0.0) -> list[Pod]:
        """The pods that bear this run id and any token, newest first, in a listing of at most this age."""
        return pods_with_id(self._pods(self._listing.rows(max_age_s)), self.get, run_id)

    def list_pods(self) -> list[Pod]:
        """All pods of the account as they are now, newest first. Their environment holds our own labels only."""
        return self._pods(self._listing.fresh())

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod in a shared listing that is at most max_age_s old. None does not prove that it is gone."""
        return next((pod for pod in self._pods(self._listing.rows(max_age_s)) if pod.id == pod_id), None)

    def get(self, pod_id: str) -> Pod | None:
        """The pod as the API says now, or None if there is no such pod (any more)."""
        call = Call(method="GET", path=pod_path(pod_id), what=f"look at pod {pod_id}", rank=Rank.LOOKS)
        answer = self._wire.send(call, not_found_ok=True)
        if answer.not_found:
            return None
        pod = read_pod(answer, call)
        return None if pod.status == "TERMINATED" else pod

    def boot_stage(self, pod: Pod) -> str:
        """The stage of its boot: placing, image_pull, starting or sshd."""
        return self._boot.stage(pod)

    def host_log(self, pod_id: str, *, fresh: bool = False) -> list[LogLine]:
        """The end of the pod's log: as it was last read, or with `fresh` as it is now; empty if it cannot be read."""
        return self._boot.read(pod_id) if fresh else self._boot.lines(pod_id)

    def start(self, pod_id: str) -> Pod:
        """A stopped pod on its way up. Raises StockOut if its host has no free GPU."""
        call = action_call(pod_id, "start")
        try:
            answer = self._wire.send(call, not_found_ok=True)
        except (ConfigError, AnswerUnclear) as refusal:
            # 409: there is nothing to start. That is fine if the pod is up, also by a start whose answer was lost.
            pod = self.get(pod_id)
            if pod is None or pod.status in STOPPED_STATUSES:
                raise getattr(refusal, "likely", None) or refusal from None
            return pod
        if answer.not_found:
            raise StockOut(f"cannot {call.what}: it does not exist any more", hint="a new pod is needed")
        return read_pod(answer, call)

    def stop(self, pod_id: str) -> bool:
        """Whether the API accepted to stop the pod, or has stopped it already; False if it knows no such pod."""
        call = action_call(pod_id, "stop")
        try:
            return not self._wire.send(call, not_found_ok=True).not_found
        except (ConfigError, AnswerUnclear):
            # 409: the action makes no sense in this status. That is fine if the status is the wanted one.
            if not self._is_stopped(pod_id):
                raise
            return True

    def delete(self, pod_id: str) -> bool:
        """Whether the API accepted to delete the pod; False if it knows no such pod."""
        call = Call(method="DELETE", path=pod_path(pod_id), what=f"delete pod {pod_id}", bare=True, rank=Rank.ENDS)
        return not self._wire.send(call, not_found_ok=True).not_found

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the one network volume of that name. Raises ConfigError on none or several."""
        rows = self.volumes()
        with parsing("list the network volumes"):
            # An odd row of another name does not matter; one of this name must not be guessed.
            found = [(str(row["id"]), str(row["dataCenter"])) for row in rows if row.get("name") == name]
        if len(found) == 1:
            return found[0]
        raise volume_error(name, found, [str(row.get("name")) for row in rows])

    def volumes(self) -> list[Row]:
        """The rows of all network volumes, as the API has them."""
        return self._rows("/v2/network-volumes", "networkVolumes", "list the network volumes", {"limit": PAGE_SIZE})

    def logs(self, pod_id: str, tail: int, quiet_s: float) -> list[LogLine]:
        """The last lines of the container's and of the host's log; empty if none came within quiet_s seconds."""
        return log_lines(self._wire.stream(log_call(pod_id, tail), quiet_s=quiet_s, within_s=LOG_TIMEOUT_S))

    def credit_usd(self) -> float | None:
        """The account's balance in USD; None if it cannot be had: only some keys may read it."""
        try:
            return self.balance().balance_usd
        except DeployError:
            return None

    def balance(self) -> Balance:
        """The account's balance and spending. Raises AuthRefused if the key may not read it."""
        return as_balance(self._wire.send(BALANCE_CALL))

    def bills(self, start_at: datetime, end_at: datetime, pod_ids: Collection[str] | None = None) -> list[Bill]:
        """The bills of each of these pods, or of all, and of each hour between these instants, as far as issued."""
        answer = self._wire.send(bills_call(start_at, end_at))
        return as_bills(answer, pod_ids, self._on_odd("read the bill"))

    def billed_through(self) -> datetime | None:
        """The last day for which a pod was billed; None if there was none for months."""
        return as_billed_through(self._wire.send(last_days_call()))

    def _pods(self, rows: list[Row]) -> list[Pod]:
        return read_pods(rows, self._on_odd("list the pods"))

    def _on_odd(self, what: str) -> OnOdd:
        """Reports each odd row once: it says nothing about the other rows, and nobody may ever mend it."""

        def report(row: object) -> None:
            text = shortened(repr(row))
            if self._on_retry is not None and text not in self._skipped:
                self._skipped.add(text)
                self._on_retry(what, OddRow(text), 0.0)

        return report

    def _is_stopped(self, pod_id: str) -> bool:
        pod = self.get(pod_id)
        return pod is not None and pod.status in STOPPED_STATUSES

    def _list_rows(self) -> list[Row]:
        rows = self._rows("/v2/pods", "pods", "list the pods", {"limit": PAGE_SIZE}, Rank.LOOKS)
        return [without_secrets(row) for row in rows]

    def _rows(self, path: str, key: str, what: str, query: dict[str, str], rank: Rank = Rank.OTHER) -> list[Row]:
        """All rows of a list, over all of its pages. An answer without `pagination` is the only page."""
        rows: list[Row] = []
        cursor: str | None = None
        left_bytes = ANSWER_BYTES
        for _ in range(MAX_PAGES):
            page_query = query | ({"cursor": cursor} if cursor else {})
            call = Call(method="GET", path=path, what=what, query=page_query, rank=rank)
            answer = self._wire.send(call)
            page = answer.document or {}
            rows += page_rows(page, key, what, self._on_odd(what))
            left_bytes -= len(answer.body)
            if len(rows) > LIST_ROWS:
                break
            if (cursor := next_cursor(page)) is None:
                return rows
            if left_bytes <= 0:
                break
        raise CloudUnreachable(f"cannot {what}: the list has no end", hint="report this to RunPod")


def pod_path(pod_id: str) -> str:
    """The path of one pod."""
    return f"/v2/pods/{quote(pod_id, safe='')}"


def action_call(pod_id: str, action: str) -> Call:
    """The call that starts or stops a pod."""
    path, stops = f"{pod_path(pod_id)}/action", action == "stop"
    rank = Rank.ENDS if stops else Rank.OTHER
    what = f"{action} pod {pod_id}"
    return Call(method="POST", path=path, what=what, body={"action": action}, bare=stops, rank=rank)


def volume_error(name: str, found: list[tuple[str, str]], known: list[str]) -> ConfigError:
    """The error for a volume name that matches no volume or several."""
    if found:
        which = ", ".join(f"{volume_id} in {datacenter}" for volume_id, datacenter in found)
        return ConfigError(f"several network volumes are named {name!r}: {which}", hint="rename all but one")
    names = ", ".join(sorted(known)) or "none"
    return ConfigError(f"there is no network volume named {name!r}", hint=f"volumes of this account: {names}")
