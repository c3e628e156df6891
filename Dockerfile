# Built in stages: the locked packages, this package beside its two programs, and the image that
# holds only those. `--target mms` has Java and AWS's multi-model-server too. Keep to what every
# builder takes: no `# syntax=`, heredoc, RUN --mount or COPY --chmod. docs/container.md says what a
# BASE_IMAGE must bring.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
COPY locks/build.txt locks/runtime.txt /build/
# --without-pip: a base without ensurepip will do. What the build needs lies apart, on PYTHONPATH,
# and is not shipped. Two packages come as source alone (docs/dependencies.md); the C in one is not
# needed, so no compiler is: `true` stands in for it. The lock is whole, hence --no-deps.
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip install --target /build/tools --require-hashes --only-binary=:all: -r /build/build.txt \
 && CC=true LDSHARED=true PYTHONPATH=/build/tools python3 -m pip --python /opt/venv/bin/python install \
      --require-hashes --only-binary=:all: --no-binary=sagemaker-training,inotify-simple \
      --no-build-isolation --no-deps --no-compile -r /build/runtime.txt
# Bytecode is made here, since a read-only container could not keep it, and is trusted unread.
COPY container/trim.py /build/
RUN python3 /build/trim.py /opt/venv \
 && site=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))') \
 && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site" \
 && echo /opt/program/lib >"$site/churn_daal.pth"

# The commands of the package are for where pipelines are started, not for the image.
FROM packages AS program
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
COPY container/train container/serve /opt/program/bin/
RUN PYTHONPATH=/build/tools python3 -m flit_core.wheel --outdir /build/dist /build \
 && python3 -m pip --python /opt/venv/bin/python install \
      --no-index --no-deps --no-compile --target /opt/program/lib /build/dist/*.whl \
 && rm -r /opt/program/lib/bin \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/program/lib \
 && chmod -R go+rX /opt/program && chmod 755 /opt/program/bin/train /opt/program/bin/serve
# Fails the build, not a job, where the trimming above took something that is needed.
RUN /opt/venv/bin/python -c 'import daal4py, flask, gunicorn, pyarrow.csv, pyarrow.parquet, sklearn.metrics, sklearn.model_selection, xgboost, churn_daal.training, churn_daal.script_mode.job, churn_daal.serving.server'

FROM ${BASE_IMAGE} AS runtime
LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true \
      com.amazonaws.sagemaker.capabilities.multi-models=true
COPY --from=packages /opt/venv /opt/venv
# SageMaker mounts over these; serverless inference runs as a user that owns nothing.
RUN mkdir -p /opt/ml/input/config /opt/ml/input/data /opt/ml/model /opt/ml/output/data /opt/ml/checkpoints \
 && chmod -R o+rwX /opt/ml
# A base image may bring its own TBB and oneDAL in LD_LIBRARY_PATH; those of the lock come first.
ENV PATH=/opt/program/bin:/opt/venv/bin:$PATH \
    LD_LIBRARY_PATH=/opt/venv/lib \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# No entry point, whatever the base has: `train` or `serve` is process 1 and gets the signals.
ENTRYPOINT []
CMD ["train"]

# The program is the last layer, of either image: a change of code makes that one again.
FROM runtime AS image
COPY --from=program /opt/program /opt/program

# Of the lock only what the image does not hold already, in a folder, so a layer, of its own.
FROM packages AS mms-packages
COPY locks/mms.txt /build/
RUN awk 'NR == FNR { held[$1]; next } /^[a-z]/ { new = !($1 in held) } new' \
      /build/runtime.txt /build/mms.txt >/build/new.txt \
 && PYTHONPATH=/build/tools python3 -m pip --python /opt/venv/bin/python install \
      --target /opt/multi_model_server --require-hashes --only-binary=:all: --no-binary=sagemaker-inference \
      --no-build-isolation --no-deps --no-compile -r /build/new.txt \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/multi_model_server

FROM runtime AS java
# A slim base has no folder for the manual pages that Java's package links to.
RUN mkdir -p /usr/share/man/man1 && apt-get update \
 && apt-get install --yes --no-install-recommends default-jre-headless && rm -rf /var/lib/apt/lists/*
COPY --from=mms-packages /opt/multi_model_server /opt/multi_model_server
RUN site=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))') \
 && echo /opt/multi_model_server >"$site/multi_model_server.pth"

FROM java AS mms
COPY --from=program /opt/program /opt/program
COPY container/serve_multi_model_server /opt/program/bin/serve
RUN chmod 755 /opt/program/bin/serve \
 && /opt/venv/bin/python -c 'import churn_daal.serving.multi_model_server.handler_service, churn_daal.serving.multi_model_server.server, mms.model_service_worker'
CMD ["serve"]

# The last one is what a build without `--target` makes. A builder without BuildKit makes every
# stage on the way to it, in this order; `--target image` spares it those with Java.
FROM image
