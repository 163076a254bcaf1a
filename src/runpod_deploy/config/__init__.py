"""Everything from YAML text to a frozen spec. Knows files and flags; knows no cloud and no pod."""

from .draft import Draft
from .finding import Finding
from .loading import examine, load
from .variables import parse_variables

__all__ = ["Draft", "Finding", "examine", "load", "parse_variables"]
