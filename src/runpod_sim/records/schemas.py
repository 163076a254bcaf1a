"""The bodies that the API accepts, as JSON Schema. Knows shapes; rules across fields are in pod_spec."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
CUDA: Schema = {"type": "string", "pattern": r"^\d+\.\d+$"}
ONE_OR_MORE: Schema = {"type": "integer", "minimum": 1}
VOLUME_TYPES = ("STANDARD", "HIGH_PERFORMANCE")
REGIONS = (
    *("NORTH_AMERICA", "SOUTH_AMERICA", "EUROPE", "ASIA"),
    *("MIDDLE_EAST", "AFRICA", "OCEANIA", "ANTARCTICA", "UNKNOWN"),
)
COMPLIANCE = (
    *("GDPR", "ISO_IEC_27001", "ISO_14001", "PCI_DSS", "HITRUST", "SOC_1_TYPE_2"),
    *("SOC_2_TYPE_2", "SOC_3_TYPE_2", "ITAR", "FISMA_HIGH", "HIPAA", "RENEWABLE"),
)
VOLUME_SIZE: Schema = {"type": "integer", "minimum": 10, "maximum": 4096}


def strict(properties: dict[str, Schema], *required: str, **more: Any) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


PERSISTENT = strict({"size": {"type": "integer", "minimum": 10}, "path": TEXT}, "size", "path")
NETWORK = {
    "type": "array",
    "maxItems": 1,
    "items": strict({"volumeId": TEXT, "path": TEXT}, "volumeId", "path"),
}
MOUNTS = strict({"persistent": PERSISTENT, "network": NETWORK})
CONTAINER: dict[str, Schema] = {
    "image": TEXT,
    "entrypoint": TEXTS,
    "cmd": TEXTS,
    "args": TEXT,
    "disk": ONE_OR_MORE,
    "env": {"type": "object", "additionalProperties": TEXT},
    "ports": TEXTS,
    "registry": {"type": ["string", "null"]},
}
GPU = strict(
    {
        "id": TEXT,
        "count": ONE_OR_MORE,
        "minCudaVersion": CUDA,
        "allowedCudaVersions": {"type": "array", "items": CUDA},
        "minRamPerGpu": ONE_OR_MORE,
        "minVcpuCountPerGpu": ONE_OR_MORE,
    },
    "id",
)
CPU = strict({"id": NAME, "vcpuCount": {"type": "integer", "minimum": 2}}, "id", "vcpuCount")
CREATE_POD = strict(
    CONTAINER
    | {
        "name": NAME,
        "cloud": {"enum": ["SECURE", "COMMUNITY"]},
        "gpu": GPU,
        "cpu": CPU,
        "dataCenterIds": TEXTS,
        "mounts": MOUNTS,
        "globalNetworking": FLAG,
        "startSsh": FLAG,
        "startJupyter": FLAG,
        "templateId": NAME,
    },
    "name",
    **{"if": {"not": {"required": ["templateId"]}}, "then": {"required": ["image"]}},
)
UPDATE_POD = strict(
    CONTAINER | {"name": NAME, "locked": FLAG, "mounts": MOUNTS, "globalNetworking": FLAG, "templateId": TEXT}
)
POD_ACTION = strict({"action": {"enum": ["start", "stop", "restart", "terminate"]}}, "action")
CREATE_VOLUME = strict(
    {
        "name": NAME,
        "size": VOLUME_SIZE,
        "dataCenter": NAME,
        "type": {"enum": list(VOLUME_TYPES)},
    },
    *("name", "size", "dataCenter"),
)
UPDATE_VOLUME = strict({"name": NAME, "size": VOLUME_SIZE}, minProperties=1)

SSH_KEY: Schema = {"type": "string", "pattern": r"^(ssh|ecdsa|sk)-[^\s]+ [^\s]+([ \t][^\n\r]*)?$"}
SSH_KEYS = strict({"keys": {"type": "array", "items": SSH_KEY}}, "keys")
SECRET_NAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 191,
    "pattern": r"^(?!RUNPOD)[a-zA-Z_][a-zA-Z0-9_.\-/]*$",
}
CREATE_SECRET = strict({"name": SECRET_NAME, "value": NAME, "description": TEXT}, "name", "value")
UPDATE_SECRET = strict({"value": NAME, "description": TEXT}, minProperties=1)
CREATE_REGISTRY = strict({"name": NAME, "username": NAME, "password": NAME}, "name", "username", "password")
CREATE_GLOBAL_VOLUME = strict({"name": NAME}, "name")
TEMPLATE = CONTAINER | {
    "name": NAME,
    "allowedCudaVersions": {"type": "array", "items": CUDA},
    "category": {"enum": ["CPU", "NVIDIA", "AMD"]},
    "mounts": strict({"persistent": PERSISTENT}),
    "public": FLAG,
    "serverless": FLAG,
    "startJupyter": FLAG,
    "startSsh": FLAG,
}
CREATE_TEMPLATE = strict(TEMPLATE, "name", "image")
UPDATE_TEMPLATE = strict(TEMPLATE)
