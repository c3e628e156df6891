"""An answer takes memory in proportion to its bytes."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import re, sys
from pathlib import Path
import numpy as np
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.predictions import Predictions

def peak():
    # Of this program alone; what getrusage tells begins with its parent's.
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

score = np.linspace(0, 1, 10_000, dtype=np.float32)
labels = ["stay", "go"] * 5_000
block = Predictions({"score": score, "predicted_label": labels}, classes=("stay", "go"))
encode = ENCODERS[sys.argv[1]]
encode([block])
before = peak()
body = encode(block for _ in range(20))
print(peak() - before, len(body) // 2**20)
"""


@pytest.mark.parametrize(
    "kind",
    [
        *("text/csv", "application/json", "application/jsonlines", "application/x-npy"),
        *("application/x-recordio-protobuf", "application/vnd.apache.arrow.stream"),
    ],
)
def test_two_hundred_thousand_rows(kind: str) -> None:
    """At most three times the body, and some for a block: not a kilobyte for each row."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind], capture_output=True, text=True, check=True
    )
    grown, size = map(int, done.stdout.split())

    assert grown <= 3 * size + 30
