"""BackPACK's extensions, and its matrix-free products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from backpack import backpack, extend, extensions
from backpack.core.derivatives.crossentropyloss import CrossEntropyLossDerivatives
from backpack.hessianfree.ggnvp import ggn_vector_product_from_plist
from backpack.hessianfree.hvp import hessian_vector_product
from torch import Tensor

from task import Results, Step, Task

EXTENSIONS: dict[str, Callable[[], Any]] = {
    "BatchGrad": extensions.BatchGrad,
    "BatchL2Grad": extensions.BatchL2Grad,
    "SumGradSquared": extensions.SumGradSquared,
    "Variance": extensions.Variance,
    "DiagGGNMC": lambda: extensions.DiagGGNMC(mc_samples=1),
    "BatchDiagGGNMC": lambda: extensions.BatchDiagGGNMC(mc_samples=1),
    "SqrtGGNMC": lambda: extensions.SqrtGGNMC(mc_samples=1),
    "KFAC": lambda: extensions.KFAC(mc_samples=1),
    "DiagGGNExact": extensions.DiagGGNExact,
    "BatchDiagGGNExact": extensions.BatchDiagGGNExact,
    "SqrtGGNExact": extensions.SqrtGGNExact,
    "KFLR": extensions.KFLR,
    "DiagHessian": extensions.DiagHessian,
    "BatchDiagHessian": extensions.BatchDiagHessian,
}

ALL_OF_FIRST_ORDER = {
    "batchGrad": extensions.BatchGrad,
    "batchL2Grad": extensions.BatchL2Grad,
    "sumGradSquared": extensions.SumGradSquared,
    "variance": extensions.Variance,
}


def step_of(task: Task, quantity: str) -> Step | None:
    if quantity in EXTENSIONS:
        return extended(task, {"found": EXTENSIONS[quantity]()})
    if quantity == "FirstOrderAll":
        return extended(task, {key: make() for key, make in ALL_OF_FIRST_ORDER.items()})
    if quantity in PRODUCTS:
        return product(task, PRODUCTS[quantity])
    return None


def extended(task: Task, used: dict[str, Any]) -> Step:
    extend(task.network)
    extend(task.loss)
    replay(task.draws)
    parameters = list(task.parameters.values())
    fields = [extension.savefield for extension in used.values()]

    def compute() -> None:
        for parameter in parameters:
            for field in fields:
                parameter.__dict__.pop(field, None)  # as zero_grad does: freed before the next are made
        with backpack(*used.values()):
            task.backward()

    def results(_: None) -> Results:
        found = task.gradient()
        for key, extension in used.items():
            for name, parameter in task.parameters.items():
                found |= parts(f"{key} {name}", getattr(parameter, extension.savefield))
        return found

    return Step(compute, results)


def parts(name: str, saved: Tensor | list[Tensor]) -> Results:
    """Kronecker factors are a list [B, A], of a bias [B]."""
    if isinstance(saved, Tensor):
        return {name: saved}
    return {f"{name} {part}": factor for part, factor in zip(("output", "input"), saved)}


def replay(draws: Tensor) -> None:
    """Lets BackPACK 'draw' these labels [M, N] for the rest of the process."""

    class Drawn:
        def sample(self, shape: torch.Size) -> Tensor:
            assert shape == draws.shape[:1]
            return draws

    CrossEntropyLossDerivatives._make_distribution = lambda self, output: Drawn()


def product(task: Task, product_of: Callable[..., tuple[Any, Any]]) -> Step:
    parameters, vectors = list(task.parameters.values()), list(task.vectors.values())

    def results(computed: tuple[Any, Any]) -> Results:
        return {
            f"{key} {name}": value
            for key, values in zip(("gradient", "multiply"), computed)
            for name, value in zip(task.parameters, values)
        }

    return Step(lambda: product_of(task, parameters, vectors), results)


def hessian_product(task: Task, parameters: list[Tensor], vectors: list[Tensor]) -> tuple[Any, Any]:
    loss = task.loss(task.network(task.images), task.labels)
    gradient = torch.autograd.grad(loss, parameters, create_graph=True)
    return gradient, hessian_vector_product(loss, parameters, vectors, grad_params=gradient)


def ggn_product(task: Task, parameters: list[Tensor], vectors: list[Tensor]) -> tuple[Any, Any]:
    output = task.network(task.images)
    loss = task.loss(output, task.labels)
    gradient = torch.autograd.grad(loss, parameters, retain_graph=True)
    return gradient, ggn_vector_product_from_plist(loss, output, parameters, vectors)


PRODUCTS = {"HessianVectorProduct": hessian_product, "GGNVectorProduct": ggn_product}
