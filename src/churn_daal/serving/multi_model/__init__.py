"""Many models behind one server: SageMaker's multi-model routes, without Java.

What is loaded stands in a registry on the disk that all workers share; each worker holds its own
copies of the models, and takes part in every load and unload of the others by a socket.
"""

from __future__ import annotations

from churn_daal.serving.multi_model.start import build_app, runtime_folder

__all__ = ["build_app", "runtime_folder"]
