"""One quantity of one problem in one peer, in a process of its own: its memory is nobody else's."""

from __future__ import annotations

from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import torch

import by_backpack
import by_torch
import by_torch_func
import resident
from arrays import read_arrays, write_arrays
from task import task_of

PEERS = {"torch": by_torch, "torch.func": by_torch_func, "backpack": by_backpack}


def serve(connection: Connection, threads: int) -> None:
    """Answers requests until the other side is gone."""
    torch.set_num_threads(threads)
    resident.reset_peak()
    subject = Subject(resident.peak())
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        try:
            connection.send({"value": getattr(subject, request.pop("do"))(**request)})
        except Exception as error:
            connection.send({"error": f"{type(error).__name__}: {error}"})


class Subject:
    def __init__(self, bytes_before: int) -> None:
        self.bytes_before = bytes_before

    def prepare(self, peer: str, problem: str, quantity: str, path: str, index: list[dict[str, Any]]) -> bool:
        """Whether the peer has the quantity."""
        step = PEERS[peer].step_of(task_of(problem, read_arrays(path, index)), quantity)
        if step is not None:
            self.step = step
        return step is not None

    def turn(self, milliseconds: float) -> list[float]:
        """The times of steps, at least one."""
        times = []
        end = perf_counter() + milliseconds / 1000
        while not times or perf_counter() < end:
            start = perf_counter()
            self.step.compute()
            times.append(1000 * (perf_counter() - start))
        return times

    def results(self, path: str) -> list[dict[str, Any]]:
        return write_arrays(path, self.step.results(self.step.compute()))

    def peak_bytes(self) -> int:
        """Of one more step, over what there was before the weights and the data came."""
        resident.reset_peak()
        self.step.compute()
        return resident.peak() - self.bytes_before
