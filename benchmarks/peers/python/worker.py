"""Subjects for benchmarks/implementations/python.ts, which sends one request a line and waits for one line of answer.

This process only imports; each subject is a fork of it, since importing PyTorch takes seconds.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from spinning import small_step_ms
from subject import serve

fork = get_context("fork")

PACKAGES = {"torch": "torch", "torch.func": "torch", "backpack": "backpack-for-pytorch"}


class Worker:
    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.subjects: dict[int, tuple[Any, Connection]] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "version":
            return {"value": version(PACKAGES[request["peer"]])}
        if request["do"] == "small_step_ms":
            with fork.Pool(1) as pool:
                return {"value": pool.apply(small_step_ms, (self.threads,))}
        if request["do"] == "dispose":
            return self.dispose(request["subject"])
        return self.forward(request.pop("subject"), request)

    def forward(self, subject: int, request: dict[str, Any]) -> dict[str, Any]:
        if subject not in self.subjects:
            self.subjects[subject] = self.start()
        connection = self.subjects[subject][1]
        connection.send(request)
        try:
            return connection.recv()
        except EOFError:
            return {"error": "the process has died, for want of memory perhaps"}

    def dispose(self, subject: int) -> dict[str, Any]:
        process, connection = self.subjects.pop(subject)
        connection.close()
        process.kill()
        process.join()
        return {}

    def start(self) -> tuple[Any, Connection]:
        ours, theirs = fork.Pipe()
        process = fork.Process(target=serve, args=(theirs, self.threads), daemon=True)
        process.start()
        theirs.close()
        return process, ours


if __name__ == "__main__":
    worker = Worker(threads=int(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), flush=True)
