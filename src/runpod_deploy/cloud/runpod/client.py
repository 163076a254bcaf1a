"""The `Cloud` that is RunPod. Knows which call does what; leaves their sending to `wire`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from ...errors import AnswerUnclear, CloudUnreachable, ConfigError, OnRetry, StockOut
from ...machine.clock import Clock
from ..values import Candidate, Offer, Pod, PodAsk
from . import catalogue, shapes
from .balance import BALANCE_CALL, Balance, as_balance
from .bills import Bill, as_bills, as_reach, bills_call, reach_call
from .boot import BootWatch
from .calls import Call
from .logs import LogLine, log_call, log_lines
from .pace import Pace
from .reading import Row, making_sense, next_cursor, page_rows, read_pod, read_pods, without_secrets
from .shared_list import Listing
from .wire import Wire

AT_REST = ("EXITED", "TERMINATED")
PAGE_SIZE = "1000"
STOCK_AGE_S = 10.0
LOG_WITHIN_S = 5.0
"""What a log that never pauses is given."""
MOST_PAGES = 50
"""An end to a cursor that never ends."""


class RunPodCloud:
    """RunPod's API v2 at one origin with one key. Methods are bounded in time and raise errors of ours only."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        clock: Clock,
        on_retry: OnRetry | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        self._clock = clock
        self._folder = folder = account_folder(cache_dir, api_key, base_url)
        self._wire = Wire(api_key, base_url, clock, Pace(clock, folder), on_retry)
        self._listing = Listing(self._list_rows, clock, folder)
        self._boot = BootWatch(clock, self.logs)

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """All offers of one cloud, those of the cloud as a whole included (datacenter "")."""
        if cpu:
            size = shapes.vcpus(vcpu_count)
            return self._cpu_offers(size) if cloud_type == "SECURE" else []
        rows = self._catalogue_rows("gpus", catalogue.gpu_query(cloud_type, gpu_count))
        with making_sense("read the GPU catalogue"):
            return catalogue.gpu_offers(rows, cloud_type, gpu_count)

    def _cpu_offers(self, vcpu_count: int) -> list[Offer]:
        rows = self._catalogue_rows("cpus", catalogue.cpu_query(vcpu_count))
        with making_sense("read the CPU catalogue"):
            return catalogue.cpu_offers(rows, vcpu_count)

    def _catalogue_rows(self, kind: str, query: dict[str, str]) -> list[Row]:
        """The rows, as old as stock may be: many runs that wait for it ask together no more often than one."""
        name = "-".join((kind, *query.values())).lower()

        def fetch() -> list[Row]:
            return self._rows(f"/v2/catalog/{kind}", kind, "read the catalogue", query)

        return Listing(fetch, self._clock, self._folder, name).rows(STOCK_AGE_S)

    def datacenter_ids(self) -> list[str]:
        """Ids of all datacenters, sorted."""
        what = "read the list of datacenters"
        rows = self._rows("/v2/catalog/datacenters", "dataCenters", what, {})
        with making_sense(what):
            return sorted(str(row["id"]) for row in rows)

    def create(self, ask: PodAsk, candidate: Candidate) -> Pod:
        """A new pod. Raises StockOut if the candidate has none, AnswerUnclear if one may exist all the same."""
        where = candidate.datacenter_id or candidate.cloud_type
        what = f"create pod {ask.name} with {candidate.gpu_id} in {where}"
        call = Call(method="POST", path="/v2/pods", what=what, body=shapes.create_body(ask, candidate))
        return read_pod(self._wire.send(call), call)

    def find(self, name: str) -> list[Pod]:
        """The pods of that name, newest first, listed after this call began. It may lag behind a create."""
        return [pod for pod in read_pods(self._listing.rows(0.0)) if pod.name == name]

    def list_pods(self) -> list[Pod]:
        """All pods of the account now, newest first. Of their environment only our own marks are told."""
        return read_pods(self._listing.fresh())

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod as a listing shows it that is at most so old, shared by many runs. None proves nothing."""
        return next((pod for pod in read_pods(self._listing.rows(max_age_s)) if pod.id == pod_id), None)

    def get(self, pod_id: str) -> Pod | None:
        """The pod as the API says now, or None if there is no such pod (any more)."""
        call = Call(method="GET", path=pod_path(pod_id), what=f"look at pod {pod_id}")
        answer = self._wire.send(call, missing_ok=True)
        if answer.missing:
            return None
        pod = read_pod(answer, call)
        return None if pod.status == "TERMINATED" else pod

    def boot_stage(self, pod: Pod) -> str:
        """How far its boot has come: placing, image_pull, starting or sshd."""
        return self._boot.stage(pod)

    def start(self, pod_id: str) -> Pod:
        """A stopped pod on its way up. Raises StockOut if its host has no free GPU."""
        call = action_call(pod_id, "start")
        try:
            answer = self._wire.send(call, missing_ok=True)
        except (ConfigError, AnswerUnclear):
            # 409: there is nothing to start. Fine, if it is up, or the start had its effect unheard.
            pod = self.get(pod_id)
            if pod is None or pod.status in AT_REST:
                raise
            return pod
        if answer.missing:
            raise StockOut(f"cannot {call.what}: it does not exist any more", hint="a new pod has to be made")
        return read_pod(answer, call)

    def stop(self, pod_id: str) -> None:
        """Asks for the pod to be stopped; no error if there is no such pod or it is stopped."""
        self._settle(action_call(pod_id, "stop"), lambda: self._is_down(pod_id))

    def delete(self, pod_id: str) -> None:
        """Asks for the pod to be deleted; no error if there is no such pod."""
        call = Call(method="DELETE", path=pod_path(pod_id), what=f"delete pod {pod_id}")
        self._settle(call, lambda: self.get(pod_id) is None)

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the one network volume of that name. Raises ConfigError on none or several."""
        what = "list the network volumes"
        rows = self._rows("/v2/network-volumes", "networkVolumes", what, {"limit": PAGE_SIZE})
        with making_sense(what):
            found = [(str(row["id"]), str(row["dataCenter"])) for row in rows if row.get("name") == name]
        if len(found) == 1:
            return found[0]
        raise volume_error(name, found, [str(row.get("name")) for row in rows])

    def logs(self, pod_id: str, tail: int, quiet_s: float) -> list[LogLine]:
        """The last lines of the container's and of the host's log; none if nothing came for so long."""
        return log_lines(self._wire.stream(log_call(pod_id, tail), quiet_s=quiet_s, within_s=LOG_WITHIN_S))

    def balance(self) -> Balance:
        """What the account holds and spends. Raises AuthRefused if the key may not know."""
        return as_balance(self._wire.send(BALANCE_CALL))

    def bills(self, start_at: datetime, end_at: datetime) -> list[Bill]:
        """What each pod of the account was billed for each hour between, as far as the bill has come."""
        return as_bills(self._wire.send(bills_call(start_at, end_at)))

    def bill_reach(self) -> datetime | None:
        """A day to which the bill has come at least; None if no pod was billed for months."""
        return as_reach(self._wire.send(reach_call()))

    def _settle(self, call: Call, settled: Callable[[], bool]) -> None:
        """The call was accepted, or there is nothing left to ask for."""
        try:
            self._wire.send(call, missing_ok=True)
        except (ConfigError, AnswerUnclear):
            # 409: the action makes no sense in this status. Fine, if that status is what was wanted.
            if not settled():
                raise

    def _is_down(self, pod_id: str) -> bool:
        pod = self.get(pod_id)
        return pod is None or pod.status in AT_REST

    def _list_rows(self) -> list[Row]:
        rows = self._rows("/v2/pods", "pods", "list the pods", {"limit": PAGE_SIZE})
        return [without_secrets(row) for row in rows]

    def _rows(self, path: str, key: str, what: str, query: dict[str, str]) -> list[Row]:
        """All rows of a list, however many pages it has. An answer without `pagination` is the only page."""
        rows: list[Row] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            asked = query | ({"cursor": cursor} if cursor else {})
            call = Call(method="GET", path=path, what=what, query=asked)
            page = self._wire.send(call).document or {}
            rows += page_rows(page, key, what)
            if (cursor := next_cursor(page)) is None:
                return rows
        raise CloudUnreachable(f"cannot {what}: the list has no end", hint="report this to RunPod")


def pod_path(pod_id: str) -> str:
    """The path of one pod."""
    return f"/v2/pods/{quote(pod_id, safe='')}"


def action_call(pod_id: str, action: str) -> Call:
    """The call that starts or stops a pod."""
    path = f"{pod_path(pod_id)}/action"
    return Call(method="POST", path=path, what=f"{action} pod {pod_id}", body={"action": action})


def volume_error(name: str, found: list[tuple[str, str]], known: list[str]) -> ConfigError:
    """What is wrong with the name of a volume."""
    if found:
        which = ", ".join(f"{volume_id} in {datacenter}" for volume_id, datacenter in found)
        return ConfigError(f"several network volumes are named {name!r}: {which}", hint="rename all but one")
    names = ", ".join(sorted(known)) or "none"
    return ConfigError(f"there is no network volume named {name!r}", hint=f"volumes of this account: {names}")


def account_folder(cache_dir: Path | None, api_key: str, base_url: str) -> Path | None:
    """The folder that processes with this key share; None if there is none or it cannot be made."""
    if cache_dir is None:
        return None
    account = hashlib.sha256(f"{base_url.rstrip('/')}\n{api_key}".encode()).hexdigest()[:16]
    folder = cache_dir / account
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder
