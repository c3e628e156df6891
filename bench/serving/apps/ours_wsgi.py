"""The WSGI app of this project, for a server that is not among its dependencies.

BENCH_PATHS names where its packages lie.
"""

from __future__ import annotations

import os
import sys

sys.path[:0] = os.environ["BENCH_PATHS"].split(os.pathsep)

from churn_daal.serving.loading import provide_by  # noqa: E402 - the path is set above
from churn_daal.serving.server import build_app  # noqa: E402
from churn_daal.settings import ServeSettings  # noqa: E402

_settings = ServeSettings.from_env()
app = build_app(_settings, provision=provide_by(_settings, _settings.model_dir)).wsgi_app
