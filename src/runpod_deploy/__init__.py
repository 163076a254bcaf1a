"""One YAML file in, one finished GPU job on RunPod out."""

__version__ = "1.0.0.dev0"
