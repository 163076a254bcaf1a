"""Writes one line for each row: its id, its label and what the model says. Computes no figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from transformers import pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a model of the Hugging Face hub, or a folder")
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.rows.read_text().splitlines()]
    classify = pipeline("text-classification", options.model, device=0 if torch.cuda.is_available() else -1)
    said = classify([row["text"] for row in rows], batch_size=64, truncation=True)
    with options.out.open("w") as out:
        for row, answer in zip(rows, said, strict=True):
            out.write(json.dumps({"id": row["id"], "label": row["label"], "predicted": answer["label"]}) + "\n")
    print(f"{len(rows)} predictions")


if __name__ == "__main__":
    main()
