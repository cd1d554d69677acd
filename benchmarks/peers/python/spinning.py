"""How fast small steps are here: threads of OpenMP that spin while they wait are best on an idle machine, worst on a busy one."""

from __future__ import annotations

from time import perf_counter

import torch

SECONDS = 1.0


def small_step_ms(threads: int) -> float:
    """The mean, in which every interruption counts."""
    torch.set_num_threads(threads)
    network = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    images = torch.rand(128, 784)
    start = perf_counter()
    steps = 0
    while steps == 0 or perf_counter() < start + SECONDS:
        network(images).sum().backward()
        steps += 1
    return 1000 * (perf_counter() - start) / steps
