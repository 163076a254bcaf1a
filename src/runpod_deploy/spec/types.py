"""The types of fields, each with its rule. Knows no field."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, MinLen

from .rules import Matches

LifecycleAction = Literal["preserve", "stop", "delete", "recycle"]
LIFECYCLE_ACTIONS: tuple[LifecycleAction, ...] = ("preserve", "stop", "delete", "recycle")
CloudType = Literal["SECURE", "COMMUNITY"]

# No quantity of one job is larger, so that every sum of them stays finite.
LARGEST_QUANTITY = 10_000_000

Text = Annotated[str, MinLen(1)]
NonBlank = Annotated[str, Matches(r"[\s\S]*\S[\s\S]*", "text that is not blank")]
PositiveInt = Annotated[int, Gt(0), Le(LARGEST_QUANTITY)]
PositiveFloat = Annotated[float, Gt(0), Le(LARGEST_QUANTITY)]
Identifier = Annotated[str, Matches(r"[^\W\d]\w*", "a name of letters, digits and _")]
EnvName = Annotated[str, Matches(r"[A-Za-z_][A-Za-z0-9_]*", "a variable name of letters, digits and _")]
AbsolutePath = Annotated[str, Matches(r"/[\s\S]*", "an absolute path on the pod")]
TemplatePath = Annotated[str, Matches(r"[/{][\s\S]*", "an absolute path on the pod or start with a {variable}")]
Port = Annotated[str, Matches(r"[1-9][0-9]{0,4}/(tcp|http|udp)", "a port such as 22/tcp or 8888/http")]
PythonVersion = Annotated[str, Matches(r"3\.[0-9]+(\.[0-9]+)?", "a version such as 3.12 or 3.12.4")]
CudaVersion = Annotated[str, Matches(r"[0-9]+\.[0-9]+", "a version such as 12.8")]
HostName = Annotated[str, Matches(r"[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}", "a host name or an IP address")]
PortNumber = Annotated[int, Ge(1), Le(65535)]
CloudId = Annotated[str, Matches(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", "an id of letters, digits, _, . and -")]
FileMode = Annotated[str, Matches(r"0?[0-7]{3}", 'octal digits in quotes, such as "0600"')]
