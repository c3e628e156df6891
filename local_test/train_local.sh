#!/usr/bin/env bash
# Trains as SageMaker would, on a scratch copy of test_dir.
#
#   local_test/train_local.sh [IMAGE]      without IMAGE: container/train itself, without Docker
#
# OPT_ML names another place for the scratch copy, PYTHON another interpreter.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/opt_ml.sh"

lay_opt_ml
if (($#)); then
    run_image --mount "type=bind,source=$opt_ml,target=/opt/ml" "$1" train
else
    python=$(find_python)
    SAGEMAKER_BASE_DIR=$opt_ml "$python" "$root/container/train"
fi
echo "The model is in $opt_ml/model"
