"""A NetSpec as PyTorch modules: one module per node, evaluated in the order of the nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from backpack.custom_module.branching import SumModule
from backpack.custom_module.permute import Permute
from backpack.custom_module.scale_module import ScaleModule
from backpack.custom_module.slicing import Slicing
from torch import Tensor, nn

Node = dict[str, Any]


def tensor_of(array: dict[str, Any]) -> Tensor:
    return torch.tensor(array["data"]).reshape(array["shape"])


class Mul(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return first * second


class Concat(nn.Module):
    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *values: Tensor) -> Tensor:
        return torch.cat(values, self.axis)


class Reshape(nn.Module):
    def __init__(self, shape: list[int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, value: Tensor) -> Tensor:
        return value.reshape(len(value), *self.shape)


def _axes(value: Any) -> Any:
    """PyTorch wants tuples; strings ('same') and numbers stay."""
    return tuple(value) if isinstance(value, list) else value


def _options(node: Node, **names: str) -> dict[str, Any]:
    """PyTorch's keyword arguments, for those options that the node states."""
    return {torch_name: _axes(node[name]) for name, torch_name in names.items() if name in node}


def _linear(node: Node, shapes: dict[str, list[int]]) -> nn.Module:
    o, i = shapes["weight"]
    return nn.Linear(i, o, bias="bias" in shapes)


def _conv(convolution: type[nn.Module]) -> Callable[[Node, dict[str, list[int]]], nn.Module]:
    def build(node: Node, shapes: dict[str, list[int]]) -> nn.Module:
        o, i_per_group, *kernel = shapes["weight"]
        names = {
            "stride": "stride",
            "padding": "padding",
            "dilation": "dilation",
            "groups": "groups",
            "paddingMode": "padding_mode",
        }
        i = i_per_group * node.get("groups", 1)
        return convolution(i, o, tuple(kernel), bias="bias" in shapes, **_options(node, **names))

    return build


_POOL = {"kernelSize": "kernel_size", "stride": "stride", "padding": "padding", "ceilMode": "ceil_mode"}


def _max_pool(node: Node, _: Any) -> nn.Module:
    return nn.MaxPool2d(**_options(node, **_POOL, dilation="dilation"))


def _avg_pool(node: Node, _: Any) -> nn.Module:
    own = {"countIncludePad": "count_include_pad", "divisorOverride": "divisor_override"}
    return nn.AvgPool2d(**_options(node, **_POOL, **own))


def _dropout(node: Node, _: Any) -> nn.Module:
    module = nn.Dropout(node["p"])
    if "mask" not in node:
        return module.eval()
    mask = tensor_of(node["mask"]) / (1 - node["p"])
    module.forward = lambda value: value * mask  # still an nn.Dropout in training mode: what BackPACK looks for
    return module


def _batch_norm(node: Node, shapes: dict[str, list[int]]) -> nn.Module:
    module = nn.BatchNorm2d(shapes["weight"][0], eps=node["eps"])
    module.running_mean = tensor_of(node["runningMean"])
    module.running_var = tensor_of(node["runningVar"])
    return module.eval()


def _embedding(node: Node, shapes: dict[str, list[int]]) -> nn.Module:
    return nn.Embedding(*shapes["weight"], **_options(node, paddingIdx="padding_idx"))


def _slice(node: Node, _: Any) -> nn.Module:
    whole = [slice(None)] * node["axis"]
    return Slicing((*whole, slice(node["start"], node["stop"], node.get("step", 1))))


MODULES: dict[str, Callable[[Node, dict[str, list[int]]], nn.Module]] = {
    "linear": _linear,
    "conv1d": _conv(nn.Conv1d),
    "conv2d": _conv(nn.Conv2d),
    "conv3d": _conv(nn.Conv3d),
    "maxPool2d": _max_pool,
    "avgPool2d": _avg_pool,
    "zeroPad2d": lambda node, _: nn.ZeroPad2d(tuple(node["padding"])),
    "relu": lambda node, _: nn.ReLU(),
    "sigmoid": lambda node, _: nn.Sigmoid(),
    "tanh": lambda node, _: nn.Tanh(),
    "identity": lambda node, _: nn.Identity(),
    "flatten": lambda node, _: nn.Flatten(),
    "embedding": _embedding,
    "dropout": _dropout,
    "batchNorm2d": _batch_norm,
    "add": lambda node, _: SumModule(),
    "mul": lambda node, _: Mul(),
    "scale": lambda node, _: ScaleModule(node["factor"]),
    "concat": lambda node, _: Concat(node["axis"]),
    "reshape": lambda node, _: Reshape(node["shape"]),
    "permute": lambda node, _: Permute(*node["axes"]),
    "slice": _slice,
}

LOSSES: dict[str, type[nn.Module]] = {"crossEntropy": nn.CrossEntropyLoss, "mse": nn.MSELoss}


class Network:
    """`parameters` are the real `nn.Parameter`s by name; tied nodes hold the same one."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.inputs = {name: tensor_of(array) for name, array in spec["inputs"].items()}
        self.parameters = {
            name: nn.Parameter(tensor_of(array), requires_grad=array["trainable"])
            for name, array in spec["parameters"].items()
        }
        self.modules = {node["id"]: self._module(node) for node in spec["nodes"]}
        self.loss_module = LOSSES[spec["loss"]["kind"]](reduction=spec["loss"]["reduction"])
        self.target = tensor_of(spec["loss"]["target"])
        self.scale: float = spec["loss"].get("scale", 1.0)

    def _module(self, node: Node) -> nn.Module:
        roles = node.get("parameters", {})
        module = MODULES[node["op"]](
            node, {role: self.spec["parameters"][name]["shape"] for role, name in roles.items()}
        )
        for role, name in roles.items():
            setattr(module, role, self.parameters[name])
        return module

    @property
    def trainable(self) -> dict[str, nn.Parameter]:
        return {name: parameter for name, parameter in self.parameters.items() if parameter.requires_grad}

    @property
    def samples(self) -> int:
        return len(self.target)

    def values(self) -> dict[str, Tensor]:
        """Of all inputs and nodes."""
        values = dict(self.inputs)
        for node in self.spec["nodes"]:
            values[node["id"]] = self.modules[node["id"]](*(values[name] for name in node["inputs"]))
        return values

    def output(self) -> Tensor:
        return self.values()[self.spec["output"]]

    def loss(self, output: Tensor) -> Tensor:
        loss = self.loss_module(output, self.target)
        return loss if self.scale == 1 else loss * self.scale

    def mean_divisor(self) -> int:
        """K: what reduction 'mean' divides by."""
        return self.target.numel() if self.spec["loss"]["reduction"] == "mean" else 1

    def loss_shares(self, output: Tensor) -> Tensor:
        """Each sample's part of the loss, [N]; they sum to the loss."""
        unreduced = type(self.loss_module)(reduction="none")(output, self.target)
        return unreduced.reshape(self.samples, -1).sum(1) * (self.scale / self.mean_divisor())
