"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path


def description() -> dict[str, object]:
    """Return the processor, cores, memory, kernel and the tools of a run."""
    processor = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", _text("/proc/meminfo"), re.MULTILINE)
    return {
        "processor": processor[1] if processor else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory[1]) / 1e6, 1) if memory else None,
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "wrk": _first_word_after("wrk", "-v"),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def image_megabytes(image: str) -> float | None:
    """Return an image's unpacked size, None where there is no engine or no such image."""
    command = ["docker", "image", "inspect", "--format", "{{.Size}}", image]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(done.stdout) / 1e6


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace")


def _first_word_after(program: str, option: str) -> str:
    done = subprocess.run([program, option], capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).split()
    return words[1] if len(words) > 1 else "unknown"
