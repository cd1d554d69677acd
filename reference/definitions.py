"""The quantities by their definitions, from plain autograd: gradients, Jacobians and Hessians, entry by entry.

Slow and simple. They are the values of the cases with source 'torch', and what BackPACK's values are checked against.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from unfoldNd import unfoldNd

from network import Network
from quantities import SUBSAMPLING

PerParameter = dict[str, Tensor]


class Definitions:
    """N samples, P trainable entries in all, C output features per sample; K see `Network.mean_divisor`."""

    def __init__(self, spec: dict[str, Any], labels: Tensor | None = None) -> None:
        self.network = Network(spec)
        self.labels = labels
        self.values = self.network.values()
        self.output = self.values[spec["output"]]
        self.parameters = list(self.network.trainable.values())

    # building blocks

    def _flat_gradient(self, value: Tensor, create_graph: bool = False) -> Tensor:
        """[P]"""
        gradients = torch.autograd.grad(
            value, self.parameters, retain_graph=True, create_graph=create_graph, materialize_grads=True
        )
        return torch.cat([gradient.flatten() for gradient in gradients])

    def _split(self, flat: Tensor) -> PerParameter:
        """[..., P] into [..., *shape] per parameter."""
        pieces = flat.split([parameter.numel() for parameter in self.parameters], dim=-1)
        return {
            name: piece.reshape(*flat.shape[:-1], *parameter.shape)
            for (name, parameter), piece in zip(self.network.trainable.items(), pieces)
        }

    @cached_property
    def jacobian(self) -> Tensor:
        """[N, C, P]"""
        rows = [[self._flat_gradient(entry) for entry in sample.flatten()] for sample in self.output]
        return torch.stack([torch.stack(sample) for sample in rows])

    @cached_property
    def individual_gradients(self) -> Tensor:
        """[N, P]: of each sample's share of the loss."""
        return torch.stack([self._flat_gradient(share) for share in self.network.loss_shares(self.output)])

    @cached_property
    def individual_hessians(self) -> Tensor:
        """[N, P, P]"""
        return torch.stack([self._hessian(share) for share in self.network.loss_shares(self.output)])

    def _hessian(self, value: Tensor) -> Tensor:
        gradient = self._flat_gradient(value, create_graph=True)
        if not gradient.requires_grad:  # linear in all parameters
            return torch.zeros(len(gradient), len(gradient))
        return torch.stack([self._flat_gradient(entry) for entry in gradient])

    @cached_property
    def loss_hessians(self) -> Tensor:
        """[N, C, C]: of each sample's share with respect to its output."""
        output = self.output.detach().requires_grad_()
        shares = self.network.loss_shares(output)
        hessians = []
        for n, share in enumerate(shares):
            (gradient,) = torch.autograd.grad(share, output, create_graph=True)
            rows = [
                torch.autograd.grad(entry, output, retain_graph=True)[0][n].flatten() for entry in gradient[n].flatten()
            ]
            hessians.append(torch.stack(rows))
        return torch.stack(hessians)

    @cached_property
    def individual_ggns(self) -> Tensor:
        """[N, P, P]"""
        return torch.einsum("nci,ncd,ndj->nij", self.jacobian, self.loss_hessians, self.jacobian)

    @cached_property
    def exact_factor(self) -> Tensor:
        """BackPACK's symmetric square root of the loss Hessian as columns [V, N, *output]."""
        n, *features = self.output.shape
        scale = (self.network.scale / self.network.mean_divisor()) ** 0.5
        if self.network.spec["loss"]["kind"] == "mse":
            columns = torch.eye(self.output[0].numel()).reshape(-1, 1, *features)
            return scale * 2**0.5 * columns.expand(-1, n, *features)
        classes = features[0]
        root = self.output.detach().softmax(1).sqrt().reshape(n, classes, -1)
        positions = root.shape[2]
        blocks = torch.eye(classes)[:, None, :, None] - torch.einsum("nvt,nct->vnct", root, root)
        columns = torch.einsum("nct,vnct,ts->vsnct", root, blocks, torch.eye(positions))
        return scale * columns.reshape(classes * positions, n, *features)

    @cached_property
    def sampled_factor(self) -> Tensor:
        """[M, N, *output] from the labels."""
        assert self.labels is not None
        scale = (self.network.scale / self.network.mean_divisor() / len(self.labels)) ** 0.5
        if self.network.spec["loss"]["kind"] == "mse":
            return scale * 2**0.5 * self.labels
        classes = self.output.shape[1]
        one_hot = torch.nn.functional.one_hot(self.labels, classes).movedim(-1, 2)
        return scale * (self.output.detach().softmax(1) - one_hot)

    def _square_root(self, factor: Tensor) -> Tensor:
        """[V, N, P]"""
        return torch.einsum("vnc,ncp->vnp", factor.flatten(2), self.jacobian)

    # Kronecker factors

    def _kronecker(self, factor: Tensor) -> dict[str, dict[str, Tensor]]:
        factors: dict[str, dict[str, Tensor]] = {}
        for node in self.network.spec["nodes"]:
            for role, name in node.get("parameters", {}).items():
                if name in self.network.trainable:
                    output = {"output": self._output_factor(factor, self.values[node["id"]])}
                    factors[name] = output if role == "bias" else {**output, "input": self._input_factor(node)}
        return factors

    def _output_factor(self, factor: Tensor, value: Tensor) -> Tensor:
        """Positions are summed before the outer product."""
        pulled = [torch.autograd.grad(self.output, value, column, retain_graph=True)[0] for column in factor]
        columns = torch.stack(pulled).flatten(3).sum(3) if value.dim() > 2 else torch.stack(pulled)
        return torch.einsum("vno,vnp->op", columns, columns)

    def _input_factor(self, node: dict[str, Any]) -> Tensor:
        """Mean over samples, sum over positions, in both reductions."""
        x, module = self.values[node["inputs"][0]].detach(), self.network.modules[node["id"]]
        if node["op"] != "linear":
            x = unfoldNd(x, module.kernel_size, module.dilation, module.padding, module.stride)
        x = x.reshape(*x.shape[:2], -1)
        return torch.einsum("nit,njt->ij", x, x) / self.network.samples

    # the quantities

    def compute(self, quantity: str) -> dict[str, Any]:
        return DEFINITIONS[quantity](self)

    def hessian_vector_product(self, vectors: PerParameter) -> PerParameter:
        return self._product(self.individual_hessians.sum(0), vectors)

    def ggn_vector_product(self, vectors: PerParameter) -> PerParameter:
        return self._product(self.individual_ggns.sum(0), vectors)

    def _product(self, matrix: Tensor, vectors: PerParameter) -> PerParameter:
        return self._split(matrix @ torch.cat([vector.flatten() for vector in vectors.values()]))

    def _squared_norms(self) -> PerParameter:
        gradients = self._split(self.individual_gradients)
        return {name: gradient.flatten(1).square().sum(1) for name, gradient in gradients.items()}


DEFINITIONS: dict[str, Callable[[Definitions], dict[str, Any]]] = {
    "gradient": lambda d: d._split(d._flat_gradient(d.network.loss(d.output))),
    "batchGrad": lambda d: d._split(d.individual_gradients),
    "batchGradSubsampled": lambda d: d._split(d.individual_gradients[SUBSAMPLING]),
    "batchL2Grad": lambda d: d._squared_norms(),
    "sumGradSquared": lambda d: d._split(d.individual_gradients.square().sum(0)),
    "variance": lambda d: d._split(d.individual_gradients.var(0, unbiased=False)),
    "diagGgnExact": lambda d: d._split(d.individual_ggns.sum(0).diagonal()),
    "batchDiagGgnExact": lambda d: d._split(d.individual_ggns.diagonal(dim1=1, dim2=2)),
    "sqrtGgnExact": lambda d: d._split(d._square_root(d.exact_factor)),
    "sqrtGgnExactSubsampled": lambda d: d._split(d._square_root(d.exact_factor)[:, SUBSAMPLING]),
    "diagGgnMc": lambda d: d._split(d._square_root(d.sampled_factor).square().sum((0, 1))),
    "batchDiagGgnMc": lambda d: d._split(d._square_root(d.sampled_factor).square().sum(0)),
    "sqrtGgnMc": lambda d: d._split(d._square_root(d.sampled_factor)),
    "kfac": lambda d: d._kronecker(d.sampled_factor),
    "kflr": lambda d: d._kronecker(d.exact_factor),
    "diagHessian": lambda d: d._split(d.individual_hessians.sum(0).diagonal()),
    "batchDiagHessian": lambda d: d._split(d.individual_hessians.diagonal(dim1=1, dim2=2)),
}
