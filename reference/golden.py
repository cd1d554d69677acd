"""The golden files: their numbers, text, and comparison."""

from __future__ import annotations

import json
import math
from typing import Any

from torch import Tensor

DIGITS = 11
"""Significant digits of an array's largest entry; smaller entries are rounded to the same place."""

TOLERANCE = 1e-9


def number(value: float, place: int) -> float | int:
    value = round(value, place)
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def array(tensor: Tensor) -> dict[str, Any]:
    data = tensor.detach().flatten().tolist()
    largest = max(map(abs, data), default=0.0)
    place = DIGITS - 1 - math.floor(math.log10(largest)) if largest > 0 else 0
    return {"shape": list(tensor.shape), "data": [number(value, place) for value in data]}


def is_array(value: Any) -> bool:
    return isinstance(value, dict) and set(value) >= {"shape", "data"}


def render(value: Any, indent: str = "") -> str:
    """JSON with arrays and other leaves on one line each."""
    if isinstance(value, dict) and not is_array(value):
        inner = indent + "\t"
        entries = [f"{inner}{json.dumps(key)}: {render(entry, inner)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}" if entries else "{}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        inner = indent + "\t"
        return "[\n" + ",\n".join(inner + _compact(entry) for entry in value) + f"\n{indent}]"
    return _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(_without_point_zero(value), separators=(",", ":"), ensure_ascii=False)


def _without_point_zero(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_without_point_zero(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _without_point_zero(entry) for key, entry in value.items()}
    return value


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Numbers may differ by TOLERANCE of the largest entry of their array, all else not at all."""
    if isinstance(old, list) and isinstance(new, list) and all(map(_is_number, old + new)):
        if len(old) != len(new):
            return [f"{path}: {len(old)} entries, now {len(new)}"]
        worst = max((abs(a - b) for a, b in zip(old, new)), default=0)
        largest = max(map(abs, old), default=0)
        return [f"{path}: differs by {worst:.3g}, largest entry {largest:.3g}"] if worst > TOLERANCE * largest else []
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [line for i, (a, b) in enumerate(zip(old, new)) for line in differences(a, b, f"{path}[{i}]")]
    if isinstance(old, dict) and isinstance(new, dict) and list(old) == list(new):
        return [line for key in old for line in differences(old[key], new[key], f"{path}.{key}".lstrip("."))]
    if _is_number(old) and _is_number(new):
        return differences([old], [new], path)
    return [] if old == new else [f"{path}: was {_short(old)}, now {_short(new)}"]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, dict) else value)[:200]
