"""Arrays in one file, one after another; their names, types and shapes come apart from it, in the protocol."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from torch import Tensor

TYPES = {"float32": numpy.float32, "int32": numpy.int32}


def read_arrays(path: str, index: list[dict[str, Any]]) -> dict[str, Tensor]:
    with open(path, "rb") as file:
        return {
            entry["name"]: torch.from_numpy(
                numpy.fromfile(file, TYPES[entry["dtype"]], entry["length"]).reshape(entry["shape"])
            )
            for entry in index
        }


def write_arrays(path: str, arrays: dict[str, Tensor]) -> list[dict[str, Any]]:
    """All as float32."""
    with open(path, "wb") as file:
        for array in arrays.values():
            array.detach().contiguous().numpy().tofile(file)
    return [{"name": name, "length": array.numel()} for name, array in arrays.items()]
