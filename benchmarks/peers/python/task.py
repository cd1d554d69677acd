"""What a step works on, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from problems import PROBLEMS

Results = dict[str, Tensor]
"""By the names that GradPack's results have in the benchmarks: `gradient 0.weight`, `found 0.weight`."""


@dataclass(frozen=True)
class Step:
    compute: Callable[[], Any]
    """What is timed."""
    results: Callable[[Any], Results]
    """Of what `compute` returned."""


@dataclass(frozen=True)
class Task:
    network: nn.Sequential
    loss: nn.CrossEntropyLoss
    parameters: dict[str, nn.Parameter]
    images: Tensor
    """[N, ...]"""
    labels: Tensor
    """[N]"""
    draws: Tensor
    """Labels for sampled quantities, [M, N]"""
    vectors: dict[str, Tensor]
    """What products are multiplied with, of the parameters' shapes."""

    def backward(self) -> None:
        self.network.zero_grad()
        self.loss(self.network(self.images), self.labels).backward()

    def gradient(self) -> Results:
        return {f"gradient {name}": parameter.grad for name, parameter in self.parameters.items()}


def task_of(problem: str, arrays: dict[str, Tensor]) -> Task:
    def group(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

    network = nn.Sequential(*PROBLEMS[problem]())
    network.load_state_dict(group("weights "))
    return Task(
        network=network,
        loss=nn.CrossEntropyLoss(),
        parameters=dict(network.named_parameters()),
        images=arrays["images"],
        labels=arrays["labels"].long(),
        draws=arrays["draws"].long(),
        vectors=group("vectors "),
    )
