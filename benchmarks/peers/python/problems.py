"""The networks of benchmarks/problems/*.ts as PyTorch modules, with the same names of parameters."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def _same_pool() -> list[nn.Module]:
    return [nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 2)]


def _halve(channels: int) -> list[nn.Module]:
    return [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels, channels, 3, stride=2)]


def logreg() -> list[nn.Module]:
    return [nn.Flatten(), nn.Linear(784, 10)]


def mlp() -> list[nn.Module]:
    return [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)]


def two_c2d() -> list[nn.Module]:
    return [
        *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 1024), nn.ReLU(), nn.Linear(1024, 10)),
    ]


def three_c3d() -> list[nn.Module]:
    return [
        *(nn.Conv2d(3, 64, 5), nn.ReLU(), *_same_pool()),
        *(nn.Conv2d(64, 96, 3), nn.ReLU(), *_same_pool()),
        *(nn.ZeroPad2d(1), nn.Conv2d(96, 128, 3), nn.ReLU(), *_same_pool()),
        *(nn.Flatten(), nn.Linear(1152, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)),
    ]


def all_cnn_c() -> list[nn.Module]:
    return [
        *(nn.Conv2d(3, 96, 3, padding=1), nn.ReLU(), nn.Conv2d(96, 96, 3, padding=1), nn.ReLU()),
        *(*_halve(96), nn.ReLU()),
        *(nn.Conv2d(96, 192, 3, padding=1), nn.ReLU(), nn.Conv2d(192, 192, 3, padding=1), nn.ReLU()),
        *(*_halve(192), nn.ReLU()),
        *(nn.Conv2d(192, 192, 3), nn.ReLU(), nn.Conv2d(192, 192, 1), nn.ReLU(), nn.Conv2d(192, 100, 1), nn.ReLU()),
        *(nn.AvgPool2d(6), nn.Flatten()),
    ]


PROBLEMS: dict[str, Callable[[], list[nn.Module]]] = {
    "logreg": logreg,
    "mlp": mlp,
    "2c2d": two_c2d,
    "3c3d": three_c3d,
    "allcnnc": all_cnn_c,
}
