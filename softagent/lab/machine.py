"""The machine that a benchmark ran on, in the words that matter for speed."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe_machine() -> dict[str, str | int]:
    """Processor, cores, memory, kernel and Python (proc(5))."""
    cpu = _value(Path("/proc/cpuinfo"), "model name") or platform.machine()
    memory_kib = _value(Path("/proc/meminfo"), "MemTotal").partition(" ")[0]
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": round(int(memory_kib or 0) * 1024 / 1e6),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _value(path: Path, name: str) -> str:
    """The value of the first line that begins with `name`; empty when there is none."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
