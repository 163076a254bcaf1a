"""What people call GPUs, and the cards that they mean; never another card."""

from __future__ import annotations

import pytest

from runpod_deploy.config.gpus import CARDS
from runpod_deploy.spec.gpu_names import Card, in_order, meant, suggestion

H100S = {"NVIDIA H100 80GB HBM3", "NVIDIA H100 NVL", "NVIDIA H100 PCIe"}


def ids(name: str) -> set[str]:
    """The ids that the name means."""
    return {card.id for card in meant(name, CARDS)}


@pytest.mark.parametrize(
    ("name", "cards"),
    [
        ("H100", H100S),
        ("h100 sxm", {"NVIDIA H100 80GB HBM3"}),
        ("H100-80GB", {"NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe"}),
        ("A100-80GB", {"NVIDIA A100 80GB PCIe", "NVIDIA A100-SXM4-80GB"}),
        ("A100 80 GB PCIe", {"NVIDIA A100 80GB PCIe"}),
        ("4090", {"NVIDIA GeForce RTX 4090"}),
        ("RTX4090", {"NVIDIA GeForce RTX 4090"}),
        ("NVIDIA RTX 4090", {"NVIDIA GeForce RTX 4090"}),
        ("3090", {"NVIDIA GeForce RTX 3090"}),
        ("3090 Ti", {"NVIDIA GeForce RTX 3090 Ti"}),
        ("3090ti", {"NVIDIA GeForce RTX 3090 Ti"}),
        ("4080", {"NVIDIA GeForce RTX 4080"}),
        ("L4", {"NVIDIA L4"}),
        ("L40", {"NVIDIA L40"}),
        ("RTX 6000", {"NVIDIA RTX 6000 Ada Generation"}),
        ("RTX A6000", {"NVIDIA RTX A6000"}),
        ("RTX PRO 6000", {"NVIDIA RTX PRO 6000 Blackwell Server Edition"}),
        ("RTX PRO 6000 Max-Q", {"NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition"}),
        ("V100-32GB", {"Tesla V100-SXM2-32GB"}),
        ("H200", {"NVIDIA H200", "NVIDIA H200 NVL"}),
        ("NVIDIA H200", {"NVIDIA H200"}),
        ("NVIDIA", set()),
        ("RTX", set()),
        ("80GB", set()),
        ("", set()),
        ("Voodoo 2", set()),
    ],
)
def test_a_name_means_these_cards(name: str, cards: set[str]) -> None:
    assert ids(name) == cards


def test_every_name_in_the_catalogue_means_its_own_card() -> None:
    for card in CARDS:
        assert [found.id for found in meant(card.id, CARDS)] == [card.id]
        assert [found.id for found in meant(card.name.lower(), CARDS)] == [card.id]


def test_a_memory_means_whole_cards_for_cuda() -> None:
    large = ids("80gb+")
    assert large >= H100S and "AMD Instinct MI300X OAM" not in large and "NVIDIA L40S" not in large
    assert not any("MIG" in card for card in ids("24GB+")) and ids("24 GB +") == ids("24GB+")


def test_names_become_ids_by_price_each_once() -> None:
    cards = [Card("NVIDIA H100 NVL", "H100 NVL", 94, 3.0), Card("NVIDIA H100 PCIe", "H100 PCIe", 80, 2.0)]
    cards += [Card("NVIDIA H100 80GB HBM3", "H100 SXM", 80, None), Card("NVIDIA L4", "L4", 24, 0.4)]
    order = in_order(["NVIDIA L4", "H100", "h100 nvl", "Voodoo"], cards)
    by_price = ("NVIDIA H100 PCIe", "NVIDIA H100 NVL", "NVIDIA H100 80GB HBM3")
    assert order.ids == ("NVIDIA L4", *by_price, "Voodoo")
    assert order.notes == (f"H100 means {', '.join(by_price)}", "h100 nvl means NVIDIA H100 NVL")


def test_an_id_that_is_not_offered_never_means_another_card() -> None:
    offered = [Card("NVIDIA H200 NVL", "H200 NVL", 143, 3.99)]
    assert in_order(["NVIDIA H200"], offered, ids=["NVIDIA H200"]).ids == ("NVIDIA H200",)


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("NVIDA GeForce RTX 4090", "NVIDIA GeForce RTX 4090"),
        ("NVIDIA A100 80GB PCI", "NVIDIA A100 80GB PCIe"),
        ("H100 SXN", "NVIDIA H100 80GB HBM3"),
        ("NVIDIA RTX 4095", ""),
        ("NVIDIA A110", ""),
        ("Voodoo", ""),
    ],
)
def test_a_guess_has_the_same_model_number(name: str, guess: str) -> None:
    assert suggestion(name, CARDS) == guess
