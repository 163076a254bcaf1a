"""Chooses an attention implementation for the GPU of this pod, and records the choice.

With several GPUs in `gpu_order`, the job may run on an older GPU that does not support flash attention. It must not
fail there. The line that begins with `__RUNPOD_EVENT__` becomes an event, so nobody has to search the log.
"""

from __future__ import annotations

import importlib
import json

# Flash attention 2 needs Ampere or newer: https://github.com/Dao-AILab/flash-attention, read 2026-11.
LEAST_CAPABILITY = (8, 0)


def choose() -> tuple[str, str]:
    """The best implementation that works here, and the reason why no better one does."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return "eager", "torch is not installed"
    if not torch.cuda.is_available():
        return "eager", "no CUDA device"
    if torch.cuda.get_device_capability() < LEAST_CAPABILITY:
        return "sdpa", f"{torch.cuda.get_device_name()} is too old"
    try:
        importlib.import_module("flash_attn")
    except ImportError as error:  # not installed, or built for another CUDA
        return "sdpa", str(error)
    return "flash_attention_2", ""


def announce(backend: str, reason: str) -> None:
    """Prints a line of the log that becomes an event of the run."""
    event = {"event": "attention_backend", "backend": backend, "reason": reason}
    print("__RUNPOD_EVENT__ " + json.dumps(event), flush=True)


if __name__ == "__main__":
    chosen, why = choose()
    announce(chosen, why)
    print(f"attn_implementation={chosen}")
