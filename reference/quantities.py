"""The quantities as BackPACK computes them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from backpack import backpack, extend, extensions
from backpack.core.derivatives.crossentropyloss import CrossEntropyLossDerivatives
from backpack.core.derivatives.mseloss import MSELossDerivatives
from backpack.hessianfree.ggnvp import ggn_vector_product_from_plist
from backpack.hessianfree.hvp import hessian_vector_product
from torch import Tensor

from network import Network

SAMPLES = 2
"""M, the number of Monte-Carlo samples of all sampled quantities."""

SUBSAMPLING = [2, 0, 0]

LOSS_DERIVATIVES = {"crossEntropy": CrossEntropyLossDerivatives, "mse": MSELossDerivatives}


@dataclass(frozen=True)
class Extension:
    make: Callable[[], extensions.backprop_extension.BackpropExtension]
    savefield: str
    kronecker: bool = False


EXTENSIONS: dict[str, Extension] = {
    "batchGrad": Extension(extensions.BatchGrad, "grad_batch"),
    "batchGradSubsampled": Extension(lambda: extensions.BatchGrad(subsampling=SUBSAMPLING), "grad_batch"),
    "batchL2Grad": Extension(extensions.BatchL2Grad, "batch_l2"),
    "sumGradSquared": Extension(extensions.SumGradSquared, "sum_grad_squared"),
    "variance": Extension(extensions.Variance, "variance"),
    "diagGgnExact": Extension(extensions.DiagGGNExact, "diag_ggn_exact"),
    "batchDiagGgnExact": Extension(extensions.BatchDiagGGNExact, "diag_ggn_exact_batch"),
    "sqrtGgnExact": Extension(extensions.SqrtGGNExact, "sqrt_ggn_exact"),
    "sqrtGgnExactSubsampled": Extension(lambda: extensions.SqrtGGNExact(subsampling=SUBSAMPLING), "sqrt_ggn_exact"),
    "diagGgnMc": Extension(lambda: extensions.DiagGGNMC(SAMPLES), "diag_ggn_mc"),
    "batchDiagGgnMc": Extension(lambda: extensions.BatchDiagGGNMC(SAMPLES), "diag_ggn_mc_batch"),
    "sqrtGgnMc": Extension(lambda: extensions.SqrtGGNMC(SAMPLES), "sqrt_ggn_mc"),
    "kfac": Extension(lambda: extensions.KFAC(SAMPLES), "kfac", kronecker=True),
    "kflr": Extension(extensions.KFLR, "kflr", kronecker=True),
    "diagHessian": Extension(extensions.DiagHessian, "diag_h"),
    "batchDiagHessian": Extension(extensions.BatchDiagHessian, "diag_h_batch"),
}

SAMPLED = {"diagGgnMc", "batchDiagGgnMc", "sqrtGgnMc", "kfac"}
SUBSAMPLED = {"batchGradSubsampled", "sqrtGgnExactSubsampled"}


class Unsupported(Exception):
    """BackPACK has no rule for this quantity in this net."""


def draw_labels(network: Network) -> Tensor:
    """One draw for all sampled quantities of a case, from BackPACK's own distribution.

    Cross-entropy: class indices [M, N, ...positions]. MSE: standard normals [M, N, D], rounded like all input numbers;
    the sampled target is output + label / sqrt(2).
    """
    output = network.output().detach()
    derivatives = LOSS_DERIVATIVES[network.spec["loss"]["kind"]]()
    targets = derivatives._make_distribution(output).sample(torch.Size([SAMPLES]))
    if network.spec["loss"]["kind"] == "crossEntropy":
        return targets
    return torch.round((targets - output) * 2**0.5, decimals=6)


@contextmanager
def replayed(labels: Tensor) -> Iterator[None]:
    """Within, BackPACK 'draws' these labels."""

    class Drawn:
        def __init__(self, targets: Tensor) -> None:
            self.targets = targets

        def sample(self, shape: Any = None, sample_shape: Any = None) -> Tensor:
            assert (shape or sample_shape) == torch.Size([SAMPLES])
            return self.targets

    def categorical(_: Any, output: Tensor) -> Drawn:
        return Drawn(labels)

    def normal(_: Any, output: Tensor) -> Drawn:
        return Drawn(output + labels / 2**0.5)

    originals = {loss: loss._make_distribution for loss in LOSS_DERIVATIVES.values()}
    CrossEntropyLossDerivatives._make_distribution = categorical
    MSELossDerivatives._make_distribution = normal
    try:
        yield
    finally:
        for loss, original in originals.items():
            loss._make_distribution = original


def by_backpack(spec: dict[str, Any], quantity: str, labels: Tensor) -> dict[str, Any]:
    """Per trainable parameter: a tensor, or for Kronecker quantities {output, input?}."""
    extension = EXTENSIONS[quantity]
    network = Network(spec)
    for module in [*network.modules.values(), network.loss_module]:
        extend(module)
    with warnings.catch_warnings(), replayed(labels):
        warnings.simplefilter("ignore")
        loss = network.loss(network.output())
        try:
            with backpack(extension.make()):
                loss.backward()
        except NotImplementedError as error:
            raise Unsupported(_reason(error)) from error
    for name, parameter in network.trainable.items():
        if not hasattr(parameter, extension.savefield):
            raise Unsupported(f"nothing is saved for {name}")
    saved = {name: getattr(parameter, extension.savefield) for name, parameter in network.trainable.items()}
    if extension.kronecker:
        return {name: dict(zip(("output", "input"), factors)) for name, factors in saved.items()}
    return {name: value.detach() for name, value in saved.items()}


def _reason(error: Exception) -> str:
    """BackPACK's message on one line, without memory addresses."""
    return re.sub(r"<[\w.]*?(\w+) object at 0x\w+>", r"\1", " ".join(str(error).split()))


def hessian_vector_product_by_backpack(spec: dict[str, Any], vectors: dict[str, Tensor]) -> dict[str, Tensor]:
    network = Network(spec)
    loss = network.loss(network.output())
    products = hessian_vector_product(loss, list(network.trainable.values()), list(vectors.values()))
    return dict(zip(vectors, products))


def ggn_vector_product_by_backpack(spec: dict[str, Any], vectors: dict[str, Tensor]) -> dict[str, Tensor]:
    network = Network(spec)
    output = network.output()
    parameters = list(network.trainable.values())
    products = ggn_vector_product_from_plist(network.loss(output), output, parameters, list(vectors.values()))
    return dict(zip(vectors, products))
