"""Fits a curve with Lightning: replace the model and the data by your own, and keep what is written to `--out`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Curve(lightning.LightningModule):
    """A small network that learns the sine."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 1))

    def training_step(self, batch: list[Tensor]) -> Tensor:
        return self.loss(batch)

    def validation_step(self, batch: list[Tensor]) -> None:
        self.log("val_loss", self.loss(batch))

    def loss(self, batch: list[Tensor]) -> Tensor:
        return nn.functional.mse_loss(self.net(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    lightning.seed_everything(options.seed)
    x = torch.rand(4096, 1) * 6
    train, held_out = random_split(TensorDataset(x, torch.sin(x)), [0.9, 0.1])
    best = ModelCheckpoint(dirpath=options.out, filename="best", monitor="val_loss")
    trainer = lightning.Trainer(max_epochs=20, callbacks=[best], logger=False, enable_progress_bar=False)
    trainer.fit(Curve(), DataLoader(train, 64, shuffle=True), DataLoader(held_out, 64))
    metrics = {"val_loss": float(best.best_model_score), "epochs": trainer.current_epoch}
    (options.out / "metrics.json").write_text(json.dumps(metrics))


if __name__ == "__main__":
    main()
