"""The resolvers of the older API's queries and mutations. Knows the cloud and the caller; knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..cloud.account import add_registry, add_secret
from ..cloud.cloud import Cloud
from ..cloud.volumes import change_volume, new_volume, remove_volume
from ..records import schemas
from ..records.pod_rules import check_container
from ..records.pods import ACCOUNT, NOBODY, Pod, new_id
from ..records.problems import NO_CAPACITY, REGISTRY_NOT_FOUND, Problem, bad, missing
from ..records.templates import DEFAULTS
from ..records.validation import breaches
from .bodies import cpu_body, gpu_bodies, template_body
from .view import USER_ID, datacenter_row, flavor_row, gpu_row, pod_row, template_row, volume_row

Json = dict[str, Any]
UNAUTHORIZED = "Unauthorized"
SPEND_LIMIT_USD = 80


@dataclass(frozen=True, slots=True)
class Resolvers:
    """Each method resolves the field of Query or Mutation with its name."""

    cloud: Cloud
    caller: str
    """ACCOUNT, or the pod whose own key was sent."""

    def myself(self, _info: Any) -> Json:
        """The account. Raises Problem for a pod's key."""
        self._only_account()
        cloud = self.cloud
        return {
            "id": USER_ID,
            "email": "somebody@example.com",
            "pubKey": "\n".join(cloud.ssh_keys),
            "clientBalance": cloud.credit_usd(),
            "currentSpendPerHr": cloud.usd_per_hour(),
            "spendLimit": SPEND_LIMIT_USD,
            "hostBalance": 0.0,
            "underBalance": cloud.credit_usd() <= 0,
            "minBalance": 0.0,
            "networkVolumes": [volume_row(volume) for volume in cloud.volumes.values()],
            "pods": [self._row(pod) for pod in cloud.listed()],
            "podTemplates": [template_row(row) for row in cloud.templates.values()],
            "secrets": list(cloud.secrets.values()),
            "containerRegistryCreds": list(cloud.registries.values()),
        }

    def pod(self, _info: Any, **given: Any) -> Json | None:
        """One pod; none if it is unknown."""
        try:
            return self._row(self._pod(given["input"]))
        except KeyError:
            return None
        except Problem as problem:
            if problem.status == 404:
                return None
            raise

    def gpuTypes(self, _info: Any, **given: Any) -> list[Json]:  # noqa: N802
        """All kinds of GPU, or the named ones."""
        wanted = given.get("input") or {}
        names = wanted.get("ids") or ([wanted["id"]] if wanted.get("id") else None)
        kinds = self.cloud.catalogue
        return [gpu_row(row, kinds) for row in kinds.gpus.values() if names is None or row["id"] in names]

    def dataCenters(self, _info: Any) -> list[Json]:  # noqa: N802
        """All datacenters."""
        kinds = self.cloud.catalogue
        return [datacenter_row(row, kinds) for row in kinds.datacenters.values()]

    def cpuFlavors(self, _info: Any, **given: Any) -> list[Json]:  # noqa: N802
        """All CPU flavors, or the named one."""
        name, kinds = (given.get("input") or {}).get("id"), self.cloud.catalogue
        return [flavor_row(row, kinds) for row in kinds.cpus.values() if name in (None, row["id"])]

    def podFindAndDeployOnDemand(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """A new GPU pod, of the first kind and cloud with room. Raises Problem."""
        self._only_account()
        for body in gpu_bodies(given.get("input") or {}, self.cloud.catalogue):
            try:
                return self._create(body)
            except Problem as problem:
                if problem.detail != NO_CAPACITY:
                    raise
        raise bad(NO_CAPACITY)

    def deployCpuPod(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """A new CPU pod. Raises Problem."""
        self._only_account()
        return self._create(cpu_body(given["input"], self.cloud.catalogue))

    def _create(self, body: Json) -> Json:
        return self._row(self.cloud.create(_checked(body, schemas.CREATE_POD)))

    def podStop(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """The pod is being stopped. Raises Problem."""
        pod = self._pod(given["input"])
        self.cloud.act(pod, "stop", self._how("stopped"))
        return self._row(pod) | {"desiredStatus": "EXITED"}

    def podResume(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """The pod boots again. Raises Problem."""
        self._only_account()
        pod = self._pod(given["input"])
        self.cloud.act(pod, "start", "")
        return self._row(pod)

    def podTerminate(self, _info: Any, **given: Any) -> None:  # noqa: N802
        """The pod is being ended. Raises Problem."""
        self.cloud.delete(self._pod(given["input"]), self._how("deleted"))

    def updateUserSettings(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """The account has these keys, one a line."""
        self._only_account()
        self.cloud.ssh_keys[:] = [key for key in (given["input"].get("pubKey") or "").splitlines() if key.strip()]
        return self.myself(None)

    def saveTemplate(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """A new template, or a changed one. Raises Problem."""
        self._only_account()
        rows, name = self.cloud.templates, given["input"]["name"]
        if given["input"].get("id") and given["input"]["id"] not in rows:
            raise missing()
        row = (
            DEFAULTS
            | _checked(template_body(given["input"]), schemas.CREATE_TEMPLATE)
            | {"id": given["input"].get("id") or new_id(10)}
        )
        if any(other["name"] == name and other["id"] != row["id"] for other in rows.values()):
            raise bad("Template name must be unique.")
        check_container(row)
        rows[row["id"]] = row
        return template_row(row)

    def deleteTemplate(self, _info: Any, **given: Any) -> None:  # noqa: N802
        """The template of that name is gone. Raises Problem."""
        self._only_account()
        found = [row["id"] for row in self.cloud.templates.values() if row["name"] == given.get("templateName")]
        if not found:
            raise missing()
        del self.cloud.templates[found[0]]

    def saveRegistryAuth(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """A new credential."""
        self._only_account()
        return add_registry(self.cloud, _checked(given["input"], schemas.CREATE_REGISTRY))

    def updateRegistryAuth(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """The credential with another user and password. Raises Problem."""
        row = self._registry(given["input"]["id"])
        row.update(given["input"])
        return row

    def deleteRegistryAuth(self, _info: Any, **given: Any) -> None:  # noqa: N802
        """The credential is gone. Raises Problem."""
        del self.cloud.registries[self._registry(given.get("registryAuthId"))["id"]]

    def secretCreate(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """A new secret. Raises Problem."""
        self._only_account()
        return add_secret(self.cloud, _checked(given["input"], schemas.CREATE_SECRET))

    def secretDelete(self, _info: Any, **given: Any) -> bool:  # noqa: N802
        """The secret is gone. Raises Problem."""
        self._only_account()
        if self.cloud.secrets.pop(given["id"], None) is None:
            raise missing()
        return True

    def createNetworkVolume(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """A new network volume. Raises Problem."""
        self._only_account()
        asked = {"name": given["input"]["name"], "size": given["input"]["size"]}
        return volume_row(new_volume(self.cloud, asked | {"dataCenter": given["input"]["dataCenterId"]}))

    def updateNetworkVolume(self, _info: Any, **given: Any) -> Json:  # noqa: N802
        """The volume with another name or a larger size. Raises Problem."""
        change = {name: given["input"][name] for name in ("name", "size") if given["input"].get(name) is not None}
        return volume_row(change_volume(self.cloud, self._volume(given["input"]["id"]), change))

    def deleteNetworkVolume(self, _info: Any, **given: Any) -> None:  # noqa: N802
        """The volume and its data are gone. Raises Problem."""
        remove_volume(self.cloud, self._volume(given["input"]["id"]))

    def _volume(self, volume_id: str) -> Json:
        self._only_account()
        if volume_id not in self.cloud.volumes:
            raise missing()
        return self.cloud.volumes[volume_id]

    def _registry(self, registry_id: str | None) -> Json:
        self._only_account()
        row = self.cloud.registries.get(registry_id or "")
        if row is None:
            raise bad(REGISTRY_NOT_FOUND)
        return row

    def _pod(self, given: Json) -> Pod:
        if self.caller == NOBODY or self.caller not in (ACCOUNT, given["podId"]):
            raise Problem(403, UNAUTHORIZED)
        return self.cloud.pod(given["podId"])

    def _row(self, pod: Pod) -> Json:
        return pod_row(pod, self.cloud.catalogue, self.cloud.volumes)

    def _only_account(self) -> None:
        if self.caller != ACCOUNT:
            raise Problem(403, UNAUTHORIZED)

    def _how(self, verb: str) -> str:
        return verb if self.caller == ACCOUNT else f"self-{verb}"


def _checked(body: Json, schema: schemas.Schema) -> Json:
    """The body. Raises Problem unless it is one that REST v2 accepts."""
    if lines := breaches(body, schema):
        raise bad("; ".join(lines))
    return body
