"""The table of cases. Each function adds the nodes of one net and returns it with its loss; it is drawn anew for
each reduction. Sizes are odd on purpose and small, N is 3 to 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import torch

from margins import far_from_kinks
from spec import NetBuilder

Source = Literal["backpack", "torch"]
Reduction = Literal["mean", "sum"]
Describe = Callable[[NetBuilder, str], dict[str, Any]]

GROUPED_BATCH_L2 = {"batchL2Grad": "BackPACK's BatchL2Grad ignores the groups of a convolution's weight (too large)"}


@dataclass(frozen=True)
class Case:
    name: str
    describe: Describe
    reduction: Reduction
    source: Source
    subsampled: bool
    """With the quantities of selected samples: a few cases are enough, they repeat rows."""
    defects: dict[str, str]
    """Quantities that BackPACK gets wrong here, with the reason. generate.py checks that it still does."""

    def net(self) -> dict[str, Any]:
        """The first draw in which no ReLU or max-pooling is close to a kink."""
        for seed in count():
            torch.manual_seed(seed)
            net = self.describe(NetBuilder(), self.reduction)
            if far_from_kinks(net):
                return net
        raise AssertionError


CASES: list[Case] = []


def case(
    source: Source,
    reductions: Sequence[Reduction] = ("mean", "sum"),
    subsampled: bool = False,
    defects: dict[str, str] | None = None,
) -> Callable[[Describe], Describe]:
    """Adds the cases of a description, under its function's name in kebab case and the reduction."""

    def add(describe: Describe) -> Describe:
        name = describe.__name__.replace("_", "-")
        CASES.extend(Case(f"{name}-{r}", describe, r, source, subsampled, defects or {}) for r in reductions)
        return describe

    return add


# Linear


@case("backpack", subsampled=True)
def scalar(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """f(x) = w·x with w = 1, x = (1, 2, 3), targets 0: every value can be checked by hand."""
    net.given([[1.0], [2.0], [3.0]])
    net.linear(1, 1, bias=False)
    net.parameters["0.weight"]["data"] = [1.0]
    spec = net.mse(reduction, 3, 1)
    spec["loss"]["target"]["data"] = [0.0, 0.0, 0.0]
    return spec


@case("backpack", subsampled=True)
def linear(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 5)
    net.linear(5, 3)
    return net.cross_entropy(reduction, 3, 4)


@case("backpack", subsampled=True)
def linear_one_middle_axis(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 2, 4)
    net.linear(4, 3)
    net.node("tanh")
    net.linear(3, 2, bias=False)
    net.node("flatten")
    net.linear(4, 3)
    return net.cross_entropy(reduction, 3, 3)


@case("backpack", ["sum"])
def linear_two_middle_axes(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 2, 3, 3)
    net.linear(3, 2)
    net.node("relu")
    net.node("flatten")
    net.linear(12, 2)
    return net.mse(reduction, 3, 2)


@case("backpack")
def mlp(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 4)
    net.linear(4, 3)
    net.node("sigmoid")
    net.linear(3, 3, bias=False)
    net.node("tanh")
    net.linear(3, 2)
    net.node("relu")
    net.linear(2, 3)
    return net.cross_entropy(reduction, 3, 4)


@case("backpack", ["mean"])
def frozen(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """Frozen: the first weight, all of the middle layer, the last bias."""
    net.floats(3, 4)
    net.linear(4, 3)
    net.node("sigmoid")
    net.linear(3, 3)
    net.node("tanh")
    net.linear(3, 3)
    net.freeze("0.weight", "2.weight", "2.bias", "4.bias")
    return net.cross_entropy(reduction, 3, 3)


# activations


@case("backpack")
def relu(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 3)
    net.linear(3, 4)
    net.node("relu")
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 4)


@case("backpack")
def sigmoid(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 3)
    net.linear(3, 3)
    net.node("sigmoid")
    net.linear(3, 3)
    return net.cross_entropy(reduction, 3, 3)


@case("backpack", subsampled=True)
def tanh(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 2)
    net.linear(2, 4)
    net.node("tanh")
    net.linear(4, 2)
    return net.mse(reduction, 4, 2)


@case("backpack", ["sum"])
def curved_output(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """The activation's output goes to the loss."""
    net.floats(3, 4)
    net.linear(4, 3)
    net.node("tanh")
    net.linear(3, 2)
    net.node("sigmoid")
    return net.mse(reduction, 3, 2)


@case("backpack")
def identity(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 3)
    net.linear(3, 3)
    net.node("identity")
    net.node("sigmoid")
    net.linear(3, 3)
    return net.cross_entropy(reduction, 3, 4)


@case("backpack")
def scale(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 3)
    net.linear(3, 3)
    net.node("tanh")
    net.node("scale", factor=-1.75)
    net.linear(3, 2)
    return net.mse(reduction, 4, 2)


@case("backpack")
def dropout_train(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """No zero before the dropout: BackPACK takes zeros of its output for dropped ones."""
    net.floats(4, 3)
    net.linear(3, 4)
    net.node("sigmoid")
    net.dropout(0.4, 4, 4)
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 4)


@case("backpack", ["mean"])
def dropout_eval(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 3)
    net.linear(3, 4)
    net.node("tanh")
    net.dropout(0.4)
    net.linear(4, 2)
    return net.mse(reduction, 3, 2)


# convolutions


@case("backpack", subsampled=True)
def conv1d(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 2, 7)
    net.conv(1, 2, 2, 3, stride=2, padding=1, dilation=2)
    net.node("sigmoid")
    net.conv(1, 2, 2, 2, bias=False)
    net.node("flatten")
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("backpack", defects=GROUPED_BATCH_L2)
def conv1d_groups(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 4, 7)
    net.conv(1, 4, 4, 3, stride=2, padding=2, groups=2)
    net.node("tanh")
    net.conv(1, 4, 2, 2, stride=3, groups=2, bias=False)
    net.node("flatten")
    return net.mse(reduction, 3, 4)


@case("backpack", subsampled=True)
def conv2d(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 2, 5, 4)
    net.conv(2, 2, 2, [3, 2], stride=[2, 1], padding=[1, 2], dilation=[1, 3])
    net.node("tanh")
    net.conv(2, 2, 2, 2, bias=False, stride=[2, 3])
    net.node("flatten")
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("backpack", defects=GROUPED_BATCH_L2)
def conv2d_groups(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 4, 4, 4)
    net.conv(2, 4, 4, 2, stride=[1, 2], padding=[0, 1], dilation=[2, 1], groups=2)
    net.node("relu")
    net.conv(2, 4, 2, [2, 1], groups=2, bias=False)
    net.node("flatten")
    net.linear(6, 2)
    return net.mse(reduction, 3, 2)


@case("backpack", ["mean"], defects=GROUPED_BATCH_L2)
def conv2d_depthwise(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 3, 4, 4)
    net.conv(2, 3, 3, 2, padding=1, stride=3, groups=3)
    net.node("sigmoid")
    net.conv(2, 3, 2, 1)
    net.node("flatten")
    net.linear(8, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("backpack")
def conv3d(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 3, 4, 3)
    net.conv(3, 1, 2, [2, 3, 1], stride=[1, 2, 2], padding=[0, 1, 1], dilation=[2, 1, 1])
    net.node("sigmoid")
    net.conv(3, 2, 2, [1, 2, 2], bias=False)
    net.node("flatten")
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("backpack", ["mean"], defects=GROUPED_BATCH_L2)
def conv3d_groups(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 4, 3, 3, 2)
    net.conv(3, 4, 2, [2, 2, 1], stride=2, padding=[0, 1, 0], groups=2)
    net.node("tanh")
    net.node("flatten")
    net.linear(4, 2)
    return net.mse(reduction, 3, 2)


@case("backpack")
def cnn(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 7, 6)
    net.conv(2, 1, 2, 3, stride=2, padding=1)
    net.node("relu")
    net.node("zeroPad2d", padding=[1, 0, 0, 1])
    net.node("maxPool2d", kernelSize=2)
    net.conv(2, 2, 2, [2, 1], padding=[1, 0])
    net.node("sigmoid")
    net.conv(2, 2, 2, 2, padding=1, stride=2)
    net.node("tanh")
    net.node("avgPool2d", kernelSize=[2, 1], stride=1)
    net.node("flatten")
    net.linear(4, 3)
    return net.cross_entropy(reduction, 3, 3)


# pooling, padding, normalisation


@case("backpack")
def max_pool2d(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 5, 5)
    net.conv(2, 1, 2, 2)
    net.node("maxPool2d", kernelSize=[2, 3], stride=[2, 1], padding=1, dilation=[1, 2])
    net.node("tanh")
    net.node("flatten")
    net.linear(12, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("backpack", ["sum"])
def max_pool2d_ceil(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 5, 6)
    net.conv(2, 1, 2, 2)
    net.node("maxPool2d", kernelSize=3, stride=2, ceilMode=True)
    net.node("flatten")
    net.linear(8, 2)
    return net.mse(reduction, 3, 2)


@case("backpack")
def avg_pool2d(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 6, 7)
    net.conv(2, 1, 2, 2)
    net.node("sigmoid")
    net.node("avgPool2d", kernelSize=[3, 2], stride=3, padding=1)
    net.node("flatten")
    net.linear(12, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("backpack")
def zero_pad2d(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 3, 3)
    net.conv(2, 1, 2, 2)
    net.node("tanh")
    net.node("zeroPad2d", padding=[1, 0, 2, 1])
    net.conv(2, 2, 2, [3, 2], stride=2)
    net.node("flatten")
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("backpack", subsampled=True)
def batch_norm2d_eval(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 2, 3, 3)
    net.conv(2, 2, 2, 2, bias=False)
    net.batch_norm(2)
    net.node("relu")
    net.node("flatten")
    net.linear(8, 2)
    return net.cross_entropy(reduction, 2, 4)


# embedding


@case("backpack", subsampled=True)
def embedding(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.tokens(6, 4)
    net.embedding(6, 3)
    net.node("tanh")
    net.linear(3, 3)
    return net.cross_entropy(reduction, 3, 4)


@case("backpack", ["sum"])
def embedding_sequence(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """Tokens repeat within and between samples; one never occurs."""
    net.inputs["x"] = {"shape": [3, 4], "data": [1, 3, 1, 0, 4, 4, 2, 1, 0, 3, 2, 0], "dtype": "int32"}
    net.embedding(6, 2)
    net.linear(2, 3)
    net.node("sigmoid")
    net.node("flatten")
    net.linear(12, 2)
    return net.mse(reduction, 3, 2)


@case("backpack")
def permute(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """Tokens [N, T] to scores of each position [N, C, T]."""
    net.tokens(5, 3, 4)
    net.embedding(5, 2)
    net.node("permute", axes=[0, 2, 1])
    net.conv(1, 2, 3, 2)
    return net.cross_entropy(reduction, 3, 3, 3)


@case("backpack")
def slice(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 3, 5)
    net.linear(5, 4)
    net.node("sigmoid")
    net.node("slice", axis=1, start=1, stop=3)
    net.node("slice", axis=2, start=0, stop=4, step=2)
    net.node("flatten")
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 3)


# losses


@case("backpack")
def cross_entropy_one_position_axis(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 2, 6)
    net.conv(1, 2, 3, 3, stride=2)
    net.node("sigmoid")
    net.conv(1, 3, 3, 1)
    return net.cross_entropy(reduction, 3, 3, 2)


@case("backpack", subsampled=True)
def cross_entropy_two_position_axes(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 3, 4)
    net.conv(2, 1, 2, [2, 3])
    net.node("tanh")
    net.conv(2, 2, 2, 1)
    return net.cross_entropy(reduction, 2, 3, 2, 2)


@case("backpack")
def mse(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(5, 3)
    net.linear(3, 3)
    net.node("sigmoid")
    net.linear(3, 3)
    return net.mse(reduction, 5, 3)


# branches


@case("backpack")
def residual_linear(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """First a skip connection, then two parallel layers."""
    net.floats(4, 3)
    net.linear(3, 3, id="stem")
    net.node("tanh", id="hidden")
    net.linear(3, 3, "hidden", id="block.linear")
    net.node("sigmoid", id="block.sigmoid")
    net.node("add", "hidden", "block.sigmoid", id="skip")
    net.linear(3, 2, "skip", id="left")
    net.linear(3, 2, "skip", bias=False, id="right")
    net.node("add", "left", "right", id="output")
    return net.cross_entropy(reduction, 2, 4)


@case("backpack")
def residual_conv(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """A residual block with a convolution on the skip connection, scaled."""
    net.floats(3, 1, 4, 3)
    net.conv(2, 1, 2, 2, id="stem")
    net.node("relu", id="hidden")
    net.conv(2, 2, 2, [3, 1], "hidden", padding=[1, 0], id="block.conv1")
    net.node("tanh", id="block.tanh")
    net.conv(2, 2, 2, 1, id="block.conv2")
    net.conv(2, 2, 2, 1, "hidden", bias=False, id="shortcut")
    net.node("scale", factor=0.5, id="shortcut.scale")
    net.node("add", "block.conv2", "shortcut.scale", "hidden", id="sum")
    net.node("flatten", id="flatten")
    net.linear(12, 2, id="head")
    return net.cross_entropy(reduction, 2, 3)


@case("backpack", ["sum"])
def nested_branches(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 3)
    net.linear(3, 3, id="stem")
    net.node("tanh", id="a")
    net.linear(3, 3, "a", id="b.linear")
    net.node("sigmoid", id="b")
    net.linear(3, 3, "b", bias=False, id="c.linear")
    net.node("tanh", id="c")
    net.node("add", "b", "c", id="inner")
    net.node("add", "a", "inner", id="outer")
    net.linear(3, 2, id="head")
    return net.mse(reduction, 3, 2)


# what BackPACK refuses, ignores or gets wrong: PyTorch's autograd alone


@case("torch", ["mean"])
def conv1d_same_padding(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """An even kernel: one more zero on the right."""
    net.floats(3, 2, 5)
    net.conv(1, 2, 2, 4, padding="same")
    net.node("sigmoid")
    net.conv(1, 2, 2, 2, padding="valid", bias=False)
    net.node("flatten")
    net.linear(8, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("torch", ["sum"])
def conv2d_same_padding(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 4, 5)
    net.conv(2, 1, 2, [2, 3], padding="same", dilation=[3, 2])
    net.node("tanh")
    net.conv(2, 2, 2, [4, 1], padding="same", groups=2)
    net.node("avgPool2d", kernelSize=2)
    net.node("flatten")
    net.linear(8, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("torch", ["mean"])
def conv3d_same_padding(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 2, 3, 2)
    net.conv(3, 1, 2, [2, 3, 2], padding="same")
    net.node("tanh")
    net.conv(3, 2, 1, [1, 2, 1])
    net.node("flatten")
    net.linear(8, 2)
    return net.mse(reduction, 3, 2)


@case("torch", ["sum"])
def conv1d_circular(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 2, 5)
    net.conv(1, 2, 3, 3, padding=2, stride=2, paddingMode="circular")
    net.node("sigmoid")
    net.node("flatten")
    net.linear(12, 2)
    return net.mse(reduction, 3, 2)


@case("torch", ["mean"])
def conv2d_circular(net: NetBuilder, reduction: str) -> dict[str, Any]:
    return _padded_conv2d(net, reduction, 18, padding=[2, 1], paddingMode="circular")


@case("torch", ["sum"])
def conv2d_reflect(net: NetBuilder, reduction: str) -> dict[str, Any]:
    return _padded_conv2d(net, reduction, 16, padding=[1, 2], paddingMode="reflect", groups=2)


@case("torch", ["mean"])
def conv2d_replicate(net: NetBuilder, reduction: str) -> dict[str, Any]:
    return _padded_conv2d(net, reduction, 18, padding=2, paddingMode="replicate", dilation=[1, 2])


@case("torch", ["sum"])
def conv2d_same_reflect(net: NetBuilder, reduction: str) -> dict[str, Any]:
    return _padded_conv2d(net, reduction, 12, kernel=[2, 3], padding="same", paddingMode="reflect")


@case("torch", ["mean"])
def conv2d_same_circular(net: NetBuilder, reduction: str) -> dict[str, Any]:
    return _padded_conv2d(net, reduction, 12, kernel=[4, 2], padding="same", paddingMode="circular")


def _padded_conv2d(
    net: NetBuilder, reduction: str, features: int, kernel: Any = (2, 3), **options: Any
) -> dict[str, Any]:
    net.floats(3, 2, 4, 5)
    net.conv(2, 2, 2, kernel, **options)
    net.node("tanh")
    net.conv(2, 2, 2, [4, 2], stride=2, bias=False, padding=1, paddingMode=options["paddingMode"])
    net.node("flatten")
    net.linear(features, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("torch")
def conv_groups(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """All three ranks; BackPACK is wrong in BatchL2Grad."""
    net.floats(3, 2, 2, 3, 4)
    net.conv(3, 2, 4, [1, 2, 1], groups=2)
    net.node("tanh")
    net.node("reshape", shape=[4, 4, 4])
    net.conv(2, 4, 4, [2, 3], groups=4, stride=2)
    net.node("reshape", shape=[4, 2])
    net.conv(1, 4, 2, 2, groups=2, padding=1, bias=False)
    net.node("flatten")
    return net.mse(reduction, 3, 6)


@case("torch", ["mean"])
def avg_pool2d_variants(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 1, 6, 7)
    net.conv(2, 1, 2, 2)
    net.node("sigmoid", id="hidden")
    net.node("avgPool2d", "hidden", kernelSize=3, stride=2, padding=1, countIncludePad=False)
    net.node("flatten", id="uncounted")
    net.node("avgPool2d", "hidden", kernelSize=[2, 3], divisorOverride=4)
    net.node("flatten", id="divided")
    net.node("avgPool2d", "hidden", kernelSize=2, ceilMode=True)
    net.node("flatten", id="ceil")
    net.node("concat", "uncounted", "divided", "ceil", axis=1)
    net.linear(12 + 20 + 12, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("torch")
def tied_linear_in_sequence(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 3)
    net.linear(3, 3)
    net.node("tanh")
    net.linear(3, 3, tied="0")
    net.node("sigmoid")
    net.linear(3, 3, tied="0")
    return net.cross_entropy(reduction, 3, 4)


@case("torch", ["sum"])
def tied_conv_in_sequence(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 2, 5, 4)
    net.conv(2, 2, 2, 3, padding=1)
    net.node("tanh")
    net.conv(2, 2, 2, 3, tied="0", stride=2)
    net.node("flatten")
    net.linear(4, 2)
    return net.cross_entropy(reduction, 2, 3)


@case("torch")
def tied_conv_in_parallel(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """The same kernel at two dilations."""
    net.floats(3, 2, 4, 4)
    net.conv(2, 2, 2, 3, "x", padding=1, id="conv")
    net.node("tanh", id="near")
    net.conv(2, 2, 2, 3, "x", padding=2, dilation=2, tied="conv", id="far.conv")
    net.node("sigmoid", id="far")
    net.node("add", "near", "far", id="sum")
    net.node("avgPool2d", kernelSize=2, id="pool")
    net.node("flatten", id="flatten")
    net.linear(8, 2, id="head")
    return net.mse(reduction, 3, 2)


@case("torch")
def tied_embedding_decoder(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """Tokens [N, T], a score of each of 5 tokens at each position [N, 5, T]."""
    net.tokens(5, 3, 3)
    net.embedding(5, 3, id="embedding")
    net.linear(3, 3, id="hidden")
    net.node("tanh", id="tanh")
    net.tied_decoder("embedding", "tanh")
    net.node("permute", axes=[0, 2, 1], id="scores")
    return net.cross_entropy(reduction, 5, 3, 3)


@case("torch", ["mean"])
def embedding_padding_idx(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """The row of the padding token gets no gradient."""
    net.inputs["x"] = {"shape": [3, 3], "data": [1, 0, 3, 0, 0, 2, 3, 3, 1], "dtype": "int32"}
    net.embedding(4, 2, paddingIdx=0)
    net.parameters["0.weight"]["data"][:2] = [0.3, -0.2]
    net.node("tanh")
    net.node("flatten")
    net.linear(6, 3)
    return net.cross_entropy(reduction, 3, 3)


@case("torch")
def scaled_cross_entropy(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(4, 3)
    net.linear(3, 4)
    net.node("tanh")
    net.linear(4, 3)
    return net.cross_entropy(reduction, 3, 4, scale=2.5)


@case("torch")
def scaled_mse(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 3)
    net.linear(3, 3)
    net.node("sigmoid")
    net.linear(3, 2)
    return net.mse(reduction, 3, 2, scale=0.3)


@case("torch")
def mse_three_axes(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """BackPACK takes [N, D] only."""
    net.floats(3, 2, 3)
    net.linear(3, 3)
    net.node("tanh")
    net.linear(3, 2)
    return net.mse(reduction, 3, 2, 2)


@case("torch")
def product(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """A gated layer, and a value times itself."""
    net.floats(4, 3)
    net.linear(3, 3, "x", id="value")
    net.linear(3, 3, "x", id="gate.linear")
    net.node("sigmoid", id="gate")
    net.node("mul", "value", "gate", id="gated")
    net.node("mul", "gated", "gated", id="square")
    net.linear(3, 3, id="head")
    return net.cross_entropy(reduction, 3, 4)


@case("torch")
def residual_block(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """As residual-conv; BackPACK has no Hessian diagonal of branched nets."""
    net.floats(3, 1, 3, 4)
    net.conv(2, 1, 2, 2, id="stem")
    net.node("sigmoid", id="hidden")
    net.conv(2, 2, 2, 3, "hidden", padding=1, id="block.conv1")
    net.node("tanh", id="block.tanh")
    net.conv(2, 2, 2, 1, id="block.conv2")
    net.node("add", "block.conv2", "hidden", id="sum")
    net.node("flatten", id="flatten")
    net.linear(12, 2, id="head")
    return net.cross_entropy(reduction, 2, 3)


@case("torch", ["mean"])
def batch_norm2d_curved(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """BackPACK has no Hessian diagonal through batch normalisation."""
    net.floats(3, 2, 3, 3)
    net.conv(2, 2, 2, 2, bias=False)
    net.batch_norm(2)
    net.node("tanh")
    net.node("flatten")
    net.linear(8, 2)
    return net.mse(reduction, 3, 2)


@case("torch", ["sum"])
def embedding_curved(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """BackPACK has no Hessian diagonal of an embedding."""
    net.tokens(5, 3, 2)
    net.embedding(5, 2)
    net.node("identity")
    net.node("tanh")
    net.node("flatten")
    net.linear(4, 3)
    return net.cross_entropy(reduction, 3, 3)


@case("torch", ["mean"])
def slices_of_one_value(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """BackPACK keys what it propagates by memory address, which slices share."""
    net.floats(4, 3)
    net.linear(3, 5, id="stem")
    net.node("slice", "stem", axis=1, start=0, stop=3, id="first")
    net.node("slice", "stem", axis=1, start=2, stop=5, id="second")
    net.node("tanh", "first", id="tanh")
    net.node("add", "tanh", "second", id="sum")
    net.linear(3, 3, id="head")
    return net.cross_entropy(reduction, 3, 4)


@case("torch", ["sum"])
def permutations_of_one_value(net: NetBuilder, reduction: str) -> dict[str, Any]:
    net.floats(3, 3, 3)
    net.linear(3, 3, id="stem")
    net.node("permute", "stem", axes=[0, 2, 1], id="transposed")
    net.node("sigmoid", "transposed", id="sigmoid")
    net.node("mul", "sigmoid", "stem", id="product")
    net.node("flatten", id="flatten")
    net.linear(9, 2, id="head")
    return net.mse(reduction, 3, 2)


@case("torch", ["mean"])
def concat_and_reshape(net: NetBuilder, reduction: str) -> dict[str, Any]:
    """Two inputs, two branches, joined in the middle axis; one value is used by both."""
    net.floats(3, 4, name="left")
    net.floats(3, 2, 3, name="right")
    net.linear(4, 6, "left", id="left.linear")
    net.node("tanh", id="left.tanh")
    net.node("reshape", shape=[2, 3], id="left.rows")
    net.linear(3, 3, "right", id="right.linear")
    net.node("concat", "left.rows", "right.linear", "left.rows", axis=1, id="rows")
    net.linear(3, 1, id="mix")
    net.node("sigmoid", id="mixed")
    net.node("reshape", shape=[6], id="flat")
    net.linear(6, 3, id="head")
    return net.cross_entropy(reduction, 3, 3)
