"""Timing side by side: A B A B, CPU seconds and wall, medians; and fresh processes with their peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Timed:
    """Medians of one contender over the rounds, and what it returned last."""

    cpu_s: float
    wall_s: float
    result: Any = None


def side_by_side(
    contenders: Mapping[str, Callable[[], Any]],
    *,
    rounds: int,
    before: Mapping[str, Callable[[], Any]] | None = None,
) -> dict[str, Timed]:
    """Call all contenders in turn, ``rounds`` times over, after one round that does not count.

    ``before``: what a contender needs anew each time and is not timed for.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    results: dict[str, Any] = {}
    for number in range(rounds + 1):
        for name, call in contenders.items():
            if before and name in before:
                before[name]()
            wall, cpu = time.perf_counter(), time.process_time()
            results[name] = call()
            if number:
                taken[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {
        name: Timed(median(t[0] for t in times), median(t[1] for t in times), results[name])
        for name, times in taken.items()
    }


def once(call: Callable[[], Any]) -> Timed:
    """Time one call of something slow."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return Timed(time.process_time() - cpu, time.perf_counter() - wall, result)


def processes(commands: Mapping[str, list[str]], *, rounds: int) -> dict[str, Timed]:
    """Run commands in turn, each a fresh process, ``rounds`` times over; their last line of output is JSON."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    told: dict[str, Any] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as problem:
                wall = time.perf_counter()
                process = subprocess.Popen(command, stdout=out, stderr=problem)
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.perf_counter() - wall
                process.returncode = os.waitstatus_to_exitcode(status)
                problem.seek(0)
                out.seek(0)
                if process.returncode:
                    raise RuntimeError(f"{name}: {problem.read()[-2000:]}")
                last = out.read().strip().splitlines()[-1:]
            taken[name].append((usage.ru_utime + usage.ru_stime, wall))
            told[name] = json.loads(last[0])
    return {
        name: Timed(median(t[0] for t in times), median(t[1] for t in times), told[name])
        for name, times in taken.items()
    }


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours in a fresh interpreter."""
    return [sys.executable, "-W", "ignore", "-m", module, *arguments]


def peak_mb() -> float:
    """Return the peak memory of this process: of its own, where the kernel tells (its parent's counts elsewhere)."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
