"""Builds a NetSpec (packages/testkit/src/net-spec.ts) as plain data, with PyTorch's initialisation.

Every number that goes into a net is rounded to six decimals *before* anything is computed from it, so that the JSON
holds exactly the float64 values that PyTorch saw, and stays small.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

DECIMALS = 6


def rounded(tensor: Tensor) -> Tensor:
    return torch.tensor([round(value, DECIMALS) for value in tensor.flatten().tolist()]).reshape(tensor.shape)


def spec_array(tensor: Tensor) -> dict[str, Any]:
    if tensor.is_floating_point():
        tensor = rounded(tensor)
    return {"shape": list(tensor.shape), "data": tensor.flatten().tolist()}


class NetBuilder:
    """Nodes in order of evaluation. Each method adds one node that reads the previous one (or `of`) and returns its id.

    Ids count from 0 unless `id` is given, so parameters of a plain chain are named as in `nn.Sequential`. `tied` names
    the earlier node whose parameters are used again.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.nodes: list[dict[str, Any]] = []
        self.last = "x"

    # inputs

    def floats(self, *shape: int, name: str = "x") -> str:
        return self._input(name, spec_array(torch.randn(*shape)), "float")

    def given(self, values: list[list[float]], name: str = "x") -> str:
        return self._input(name, spec_array(torch.tensor(values)), "float")

    def tokens(self, vocabulary: int, *shape: int, name: str = "x") -> str:
        return self._input(name, spec_array(torch.randint(vocabulary, shape)), "int32")

    def _input(self, name: str, array: dict[str, Any], dtype: str) -> str:
        self.inputs[name] = {**array, "dtype": dtype}
        self.last = name
        return name

    # nodes

    def node(self, op: str, *of: str, id: str | None = None, **options: Any) -> str:
        id = id or str(len(self.nodes))
        self.nodes.append({"id": id, "inputs": list(of or (self.last,)), "op": op, **options})
        self.last = id
        return id

    def layer(self, op: str, module: nn.Module, *of: str, id: str | None, tied: str | None, **options: Any) -> str:
        id = id or str(len(self.nodes))
        owner = tied or id
        names = {role: f"{owner}.{role}" for role, _ in module.named_parameters()}
        for role, parameter in module.named_parameters():
            if tied is None:
                self.parameters[names[role]] = {**spec_array(parameter.detach()), "trainable": True}
        return self.node(op, *of, id=id, parameters=names, **options)

    def linear(
        self, i: int, o: int, *of: str, bias: bool = True, id: str | None = None, tied: str | None = None
    ) -> str:
        return self.layer("linear", nn.Linear(i, o, bias), *of, id=id, tied=tied)

    def conv(
        self,
        d: int,
        i: int,
        o: int,
        kernel: Any,
        *of: str,
        bias: bool = True,
        id: str | None = None,
        tied: str | None = None,
        **options: Any,
    ) -> str:
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[d - 1](i, o, kernel, bias=bias, groups=options.get("groups", 1))
        return self.layer(f"conv{d}d", conv, *of, id=id, tied=tied, **options)

    def embedding(self, vocabulary: int, width: int, *of: str, id: str | None = None, **options: Any) -> str:
        module = nn.Embedding(vocabulary, width, padding_idx=options.get("paddingIdx"))
        return self.layer("embedding", module, *of, id=id, tied=None, **options)

    def tied_decoder(self, embedding: str, *of: str) -> str:
        """Scores of all tokens: a Linear without bias that uses the embedding's weight."""
        return self.node("linear", *of, parameters={"weight": f"{embedding}.weight"})

    def batch_norm(self, channels: int, *of: str, id: str | None = None) -> str:
        """Weights and running statistics as after some training: PyTorch's initial ones and zeros would test little."""
        module = nn.BatchNorm2d(channels)
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.uniform_(module.bias, -0.5, 0.5)
        mean, var = torch.randn(channels) / 4, torch.rand(channels) + 0.5
        statistics = {"runningMean": spec_array(mean), "runningVar": spec_array(var), "eps": module.eps}
        return self.layer("batchNorm2d", module, *of, id=id, tied=None, **statistics)

    def dropout(self, p: float, *mask_shape: int) -> str:
        """With a shape: training mode, by the mask that PyTorch draws here. Without: evaluation mode."""
        if not mask_shape:
            return self.node("dropout", p=p)
        mask = nn.functional.dropout(torch.ones(mask_shape), p) != 0
        return self.node("dropout", p=p, mask=spec_array(mask.int()))

    # the whole

    def freeze(self, *names: str) -> None:
        for name in names:
            self.parameters[name]["trainable"] = False

    def cross_entropy(
        self, reduction: str, classes: int, *target_shape: int, scale: float | None = None
    ) -> dict[str, Any]:
        return self._net("crossEntropy", reduction, spec_array(torch.randint(classes, target_shape)), scale)

    def mse(self, reduction: str, *target_shape: int, scale: float | None = None) -> dict[str, Any]:
        return self._net("mse", reduction, spec_array(torch.randn(*target_shape)), scale)

    def _net(self, kind: str, reduction: str, target: dict[str, Any], scale: float | None) -> dict[str, Any]:
        loss: dict[str, Any] = {"kind": kind, "reduction": reduction, "target": target}
        if scale is not None:
            loss["scale"] = scale
        return {
            "inputs": self.inputs,
            "parameters": self.parameters,
            "nodes": self.nodes,
            "output": self.last,
            "loss": loss,
        }
