#!/usr/bin/env bash
# Serves the model of the last train_local.sh until Ctrl-C.
#
#   local_test/serve_local.sh [IMAGE]      without IMAGE: container/serve itself, without Docker
#
# PORT is the port on this machine, 8080 unless set; OPT_ML and PYTHON as for train_local.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/opt_ml.sh"

if [[ -z $(ls -A "$opt_ml/model" 2>/dev/null) ]]; then
    echo "There is no model in $opt_ml/model: run local_test/train_local.sh first." >&2
    exit 1
fi
echo "Serving on http://127.0.0.1:$port; try: local_test/predict.sh local_test/payload/ten_customers.csv"
if (($#)); then
    run_image --publish "127.0.0.1:$port:8080" \
        --mount "type=bind,source=$opt_ml/model,target=/opt/ml/model,readonly" "$1" serve
else
    python=$(find_python)
    SAGEMAKER_BASE_DIR=$opt_ml SAGEMAKER_BIND_TO_PORT=$port exec "$python" "$root/container/serve"
fi
