"""Refuses draws in which float32 may take another branch than float64: near a kink of ReLU or a tie of max-pooling."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from network import Network

MARGIN = 1e-3
OUTSIDE = -1e9


def far_from_kinks(spec: dict[str, Any]) -> bool:
    network = Network(spec)
    values = network.values()
    for node in spec["nodes"]:
        x = values[node["inputs"][0]].detach()
        if node["op"] == "relu" and x.abs().min() < MARGIN:
            return False
        if node["op"] == "maxPool2d" and _smallest_gap(x, network.modules[node["id"]]) < MARGIN:
            return False
    return True


def _smallest_gap(x: Tensor, pool: torch.nn.MaxPool2d) -> float:
    """Between the two largest entries of a window. Windows of zeros (after ReLU) don't count: nothing passes them."""
    stride, padding = _pair(pool.stride), _pair(pool.padding)
    far = [p + (s - 1 if pool.ceil_mode else 0) for p, s in zip(padding, stride)]
    padded = F.pad(x.flatten(0, 1)[:, None], (padding[1], far[1], padding[0], far[0]), value=OUTSIDE)
    windows = F.unfold(padded, pool.kernel_size, pool.dilation, 0, pool.stride)
    first, second = windows.topk(2, dim=1).values.unbind(1)
    counts = (first != OUTSIDE) & (first != 0)
    return (first - second)[counts].min().item()


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value
