"""The GPUs of RunPod, to know what a name means without asking. Knows names; only the catalogue is up to date."""

from __future__ import annotations

from ..spec.gpu_names import Card

# docs.runpod.io/references/gpu-types and the catalogue, 2026-10. New cards appear in the catalogue first, so that a
# name which is missing here may still be valid.
CARDS = (
    Card("AMD Instinct MI300X OAM", "MI300X", 192),
    Card("NVIDIA A100 80GB PCIe", "A100 PCIe", 80),
    Card("NVIDIA A100-SXM4-80GB", "A100 SXM", 80),
    Card("NVIDIA A30", "A30", 24),
    Card("NVIDIA A40", "A40", 48),
    Card("NVIDIA B200", "B200", 180),
    Card("NVIDIA B300 SXM6 AC", "B300", 288),
    Card("NVIDIA GeForce RTX 3070", "RTX 3070", 8),
    Card("NVIDIA GeForce RTX 3080", "RTX 3080", 10),
    Card("NVIDIA GeForce RTX 3080 Ti", "RTX 3080 Ti", 12),
    Card("NVIDIA GeForce RTX 3090", "RTX 3090", 24),
    Card("NVIDIA GeForce RTX 3090 Ti", "RTX 3090 Ti", 24),
    Card("NVIDIA GeForce RTX 4070 Ti", "RTX 4070 Ti", 12),
    Card("NVIDIA GeForce RTX 4080", "RTX 4080", 16),
    Card("NVIDIA GeForce RTX 4080 SUPER", "RTX 4080 SUPER", 16),
    Card("NVIDIA GeForce RTX 4090", "RTX 4090", 24),
    Card("NVIDIA GeForce RTX 5080", "RTX 5080", 16),
    Card("NVIDIA GeForce RTX 5090", "RTX 5090", 32),
    Card("NVIDIA H100 80GB HBM3", "H100 SXM", 80),
    Card("NVIDIA H100 NVL", "H100 NVL", 94),
    Card("NVIDIA H100 PCIe", "H100 PCIe", 80),
    Card("NVIDIA H200", "H200 SXM", 141),
    Card("NVIDIA H200 NVL", "H200 NVL", 143),
    Card("NVIDIA L4", "L4", 24),
    Card("NVIDIA L40", "L40", 48),
    Card("NVIDIA L40S", "L40S", 48),
    Card("NVIDIA RTX 2000 Ada Generation", "RTX 2000 Ada", 16),
    Card("NVIDIA RTX 4000 Ada Generation", "RTX 4000 Ada", 20),
    Card("NVIDIA RTX 4000 SFF Ada Generation", "RTX 4000 Ada SFF", 20),
    Card("NVIDIA RTX 5000 Ada Generation", "RTX 5000 Ada", 32),
    Card("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", 48),
    Card("NVIDIA RTX A2000", "RTX A2000", 6),
    Card("NVIDIA RTX A4000", "RTX A4000", 16),
    Card("NVIDIA RTX A4500", "RTX A4500", 20),
    Card("NVIDIA RTX A5000", "RTX A5000", 24),
    Card("NVIDIA RTX A6000", "RTX A6000", 48),
    Card("NVIDIA RTX PRO 4500 Blackwell", "RTX PRO 4500", 32),
    Card("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000", 96),
    Card("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", "RTX PRO 6000 MaxQ", 96),
    Card("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTX PRO 6000 WK", 96),
    Card("NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", "RTX PRO 6000 MIG 1g.24gb", 24),
    Card("NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 2g.48gb", "RTX PRO 6000 MIG 2g.48gb", 48),
    Card("Tesla V100-PCIE-16GB", "Tesla V100", 16),
    Card("Tesla V100-SXM2-16GB", "V100 SXM2", 16),
    Card("Tesla V100-SXM2-32GB", "V100 SXM2 32GB", 32),
)
GPU_IDS = tuple(card.id for card in CARDS)
