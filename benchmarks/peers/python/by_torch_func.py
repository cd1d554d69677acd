"""What PyTorch's own function transforms give without BackPACK: individual gradients by `vmap(grad)`, and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.func import functional_call, grad, jvp, vjp, vmap

from task import Results, Step, Task

PerParameter = dict[str, Tensor]

FIRST_ORDER: dict[str, Callable[[Tensor], Tensor]] = {
    "batchGrad": lambda gradients: gradients,
    "batchL2Grad": lambda gradients: gradients.square().flatten(1).sum(1),
    "sumGradSquared": lambda gradients: gradients.square().sum(0),
    "variance": lambda gradients: gradients.var(0, correction=0),
}
"""From individual gradients [N, ...]."""


def step_of(task: Task, quantity: str) -> Step | None:
    own = {f"{name[0].upper()}{name[1:]}": {"found": formula} for name, formula in FIRST_ORDER.items()}
    formulas = {**own, "FirstOrderAll": FIRST_ORDER}.get(quantity)
    if formulas is not None:
        return first_order(task, formulas)
    if quantity in PRODUCTS:
        return product(task, PRODUCTS[quantity])
    return None


def first_order(task: Task, formulas: dict[str, Callable[[Tensor], Tensor]]) -> Step:
    """Individual gradients are those of each sample's share of the mean, as BackPACK and GradPack have them."""
    parameters = detached(task)

    def share(parameters: PerParameter, image: Tensor, label: Tensor) -> Tensor:
        output = functional_call(task.network, parameters, (image.unsqueeze(0),))
        return task.loss(output, label.unsqueeze(0)) / len(task.images)

    individual = vmap(grad(share), in_dims=(None, 0, 0))

    def compute() -> dict[str, PerParameter]:
        gradients = individual(parameters, task.images, task.labels)
        every = {"gradient": lambda gradients: gradients.sum(0), **formulas}
        return {key: {name: f(gradient) for name, gradient in gradients.items()} for key, f in every.items()}

    return Step(compute, named)


def product(task: Task, product_of: Callable[[Task, PerParameter], tuple[PerParameter, PerParameter]]) -> Step:
    parameters = detached(task)
    return Step(lambda: dict(zip(("gradient", "multiply"), product_of(task, parameters))), named)


def detached(task: Task) -> PerParameter:
    return {name: parameter.detach() for name, parameter in task.parameters.items()}


def named(results: dict[str, Any]) -> Results:
    return {f"{key} {name}": value for key, values in results.items() for name, value in values.items()}


def hessian_product(task: Task, parameters: PerParameter) -> tuple[PerParameter, PerParameter]:
    def loss(parameters: PerParameter) -> Tensor:
        return task.loss(functional_call(task.network, parameters, (task.images,)), task.labels)

    return jvp(grad(loss), (parameters,), (task.vectors,))


def ggn_product(task: Task, parameters: PerParameter) -> tuple[PerParameter, PerParameter]:
    """Jᵀ H J v, where H is the Hessian of the loss with respect to the output."""

    def network(parameters: PerParameter) -> Tensor:
        return functional_call(task.network, parameters, (task.images,))

    output, pull_back = vjp(network, parameters)
    _, tangent = jvp(network, (parameters,), (task.vectors,))
    output_gradient, curved = jvp(grad(lambda output: task.loss(output, task.labels)), (output,), (tangent,))
    return pull_back(output_gradient)[0], pull_back(curved)[0]


PRODUCTS = {"HessianVectorProduct": hessian_product, "GGNVectorProduct": ggn_product}
