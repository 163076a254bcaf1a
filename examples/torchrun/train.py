"""Trains one model in several processes, one for each GPU; the first process writes the result."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    device = joined()
    model = DistributedDataParallel(nn.Linear(32, 1).to(device))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(options.steps):
        x = torch.randn(256, 32, device=device)
        loss = nn.functional.mse_loss(model(x), x.sum(dim=1, keepdim=True))
        optimizer.zero_grad()
        loss.backward()  # the processes share their gradients here
        optimizer.step()
        if dist.get_rank() == 0 and step % 20 == 0:
            print(f"step {step} of {options.steps}, loss {loss.item():.4f}", flush=True)
    if dist.get_rank() == 0:
        options.out.mkdir(parents=True, exist_ok=True)
        torch.save(model.module.state_dict(), options.out / "model.pt")
    dist.destroy_process_group()


def joined() -> torch.device:
    """The device of this process, once all processes have found each other."""
    if not torch.cuda.is_available():
        dist.init_process_group("gloo")
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    dist.init_process_group("nccl", device_id=device)
    return device


if __name__ == "__main__":
    main()
