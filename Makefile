# The project's commands, one line each in `make help`.
#
# Environments are stamps under .venv: a target installs what it needs, once, and again when a
# lock changes. Every path is relative, so that a checkout whose path holds spaces works.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules

# The newest supported Python that really runs: a pyenv shim answers to a version that is not active.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1 && echo "$$p" && break; done)
VENV := .venv
# What knows AWS's SDK has an environment of its own, made by the same rules (`make mlops-test`).
MLOPS_VENV := .venv-mlops
RUN := $(VENV)/bin/python -m
INSTALL := $(RUN) pip install -qq --disable-pip-version-check --require-hashes --only-binary=:all:
# Two packages come as source alone (docs/dependencies.md); the C in one is not needed, so no
# compiler is: `true` stands in for it. The lock is whole, and leaves out what has no use here.
FROM_SOURCE := --no-deps --no-binary=sagemaker-training,inotify-simple --no-build-isolation

IMAGE ?= churn-daal
TAG ?= latest
BASE_IMAGE ?= python:3.13-slim-trixie
REPOSITORY ?= $(IMAGE)
BUILD_ARGS ?=
# `sam local` does not resolve with the rest, so it has an environment of its own.
SAM_VENV := .venv-sam
SERVICE ?= churn-daal

.PHONY: help venv demo data test test-fast test-container mlops-test mlops-venv sam-venv lint fmt build build-mms build-lambda push run-pipeline approve stage-configs release integration-test deploy undeploy package-template bench bench-quick lock clean

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile
	@printf '\nVariables: PYTHON, IMAGE, TAG, BASE_IMAGE, BUILD_ARGS; for push also ACCOUNT, REGION, REPOSITORY, REGISTRY, DRY_RUN=1;\nfor test REQUIRE_DOCKER=1 makes a missing Docker engine a failure.\n'

demo: $(VENV)/.runtime ## Train and serve the bundled churn data here, without Docker
	@$(VENV)/bin/python local_test/demo.py

data: $(VENV)/.runtime ## Upload the churn CSV to where the pipeline looks: BUCKET=... [REGION=... FILE=...]
	@$(RUN) pipelines.upload_data --bucket "$(BUCKET)" --region "$(REGION)" $(if $(FILE),--file "$(FILE)")

test: $(VENV)/.test ## Run every test; those of the container need a Docker engine
	@$(RUN) pytest

test-fast: $(VENV)/.test ## Run the tests that need no Docker engine
	@$(RUN) pytest -m "not container and not mlops"

test-container: $(VENV)/.test ## Build the image and run the tests that drive it
	@$(RUN) pytest tests/container

mlops-test: mlops-venv sam-venv ## Run the tests of pipelines and deployment, beside AWS's stand-ins
	@# Where one of these is missing its tests would be skipped, in place of failing.
	@$(MLOPS_VENV)/bin/python -c 'import boto3, cfnlint, jsonschema, moto, openapi_spec_validator, yaml'
	@$(MLOPS_VENV)/bin/python -m pytest -m mlops $(wildcard tests/pipelines tests/deploy tests/cicd)

mlops-venv: ## Make the environment of mlops-test alone
	@$(MAKE) -s --no-print-directory VENV=$(MLOPS_VENV) $(MLOPS_VENV)/.test $(MLOPS_VENV)/.mlops

lint: $(VENV)/.lint ## Check style, format and types; change nothing
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy

fmt: $(VENV)/.lint ## Mend style and format
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

# The target is what a plain build makes too; a builder without BuildKit would fetch Java on the way.
build: ## Build the image IMAGE:TAG on BASE_IMAGE and say its size
	docker build --target image --build-arg "BASE_IMAGE=$(BASE_IMAGE)" $(BUILD_ARGS) --tag "$(IMAGE):$(TAG)" .
	@docker image inspect --format '{{.Size}}' "$(IMAGE):$(TAG)" | \
		awk '{printf "$(IMAGE):$(TAG) is %.0f MB unpacked\n", $$1 / 1e6}'

build-mms: ## Build the image IMAGE:TAG-mms, served by AWS's multi-model-server (Java)
	docker build --target mms --build-arg "BASE_IMAGE=$(BASE_IMAGE)" $(BUILD_ARGS) --tag "$(IMAGE):$(TAG)-mms" .

push: ## Push IMAGE:TAG to ECR: ACCOUNT=... REGION=... [REPOSITORY=... REGISTRY=... DRY_RUN=1]
	@ACCOUNT="$(ACCOUNT)" REGION="$(REGION)" REPOSITORY="$(REPOSITORY)" IMAGE="$(IMAGE)" TAG="$(TAG)" \
		REGISTRY="$(REGISTRY)" DRY_RUN="$(DRY_RUN)" bash container/push.sh

build-lambda: ## Build the image IMAGE-lambda:TAG of the function behind the REST API
	docker build --file deploy/lambda/Dockerfile --build-arg "BASE_IMAGE=$(BASE_IMAGE)" $(BUILD_ARGS) \
		--tag "$(IMAGE)-lambda:$(TAG)" .

STAGE_OF = --stage "$(STAGE)" --service "$(SERVICE)" $(if $(REGION),--region "$(REGION)") \
	$(if $(filter-out 0,$(DRY_RUN)),--dry-run)

# Against stand-ins: AWS_ENDPOINT_URL. docs/deploy.md has each variable.
deploy: $(VENV)/.deploy ## Deploy a model package: STAGE=... REGION=... BUCKET=... GROUP=... [LAMBDA_IMAGE=... DRY_RUN=1]
	@$(RUN) deploy up $(STAGE_OF) --bucket "$(BUCKET)" --group "$(GROUP)" --package "$(PACKAGE)" \
		--canary "$(CANARY)" --shadow "$(SHADOW)" --lambda-image "$(LAMBDA_IMAGE)" \
		$(if $(OUTPUT),--output "$(OUTPUT)") $(if $(SET),--set $(SET))

undeploy: $(VENV)/.deploy ## Remove what deploy made: STAGE=... REGION=... [DRY_RUN=1]
	@$(RUN) deploy down $(STAGE_OF)

package-template: $(VENV)/.deploy ## Write the CloudFormation template for one model: MODEL=model.tar.gz [OUTPUT=...]
	@$(RUN) deploy package "$(MODEL)" $(if $(OUTPUT),--output "$(OUTPUT)")

# What the build specs of cicd/ call, and the workflow; docs/cicd.md has each variable.
PROJECT ?= $(SERVICE)
# A comma that is none of a call's own.
, := ,
GROUP_OR_PROJECT = $(or $(GROUP),$(PROJECT))
REGION_GIVEN = $(if $(REGION),--region "$(REGION)")
CONFIGURATIONS ?= build/deploy
ECR = $(or $(REGISTRY),$(ACCOUNT).dkr.ecr.$(REGION).amazonaws.com$(if $(filter cn-%,$(REGION)),.cn))

# Arguments of get_pipeline; on one line, since a shell keeps line ends within quotes.
KWARGS = {"region": "$(REGION)", "role": "$(ROLE)", "default_bucket": "$(BUCKET)", \
	"image_uri": "$(ECR)/$(REPOSITORY):$(TAG)", "base_job_prefix": "$(PROJECT)", "pipeline_name": "$(PROJECT)", \
	$(if $(PROJECT_ARN),"sagemaker_project_arn": "$(PROJECT_ARN)"$(,)) "model_package_group_name": "$(GROUP_OR_PROJECT)"}

run-pipeline: mlops-venv ## Update the SageMaker pipeline and run it: PROJECT=... REGION=... BUCKET=... ROLE=... ACCOUNT=... REPOSITORY=... TAG=...
	@$(MLOPS_VENV)/bin/run-pipeline --module-name pipelines.pipeline --role-arn "$(ROLE)" --kwargs '$(KWARGS)' \
		$(if $(PARAMETERS),--parameters '$(PARAMETERS)')

approve: $(VENV)/.deploy ## Show a waiting model package and approve it: PACKAGE=... or GROUP=... [REGION=... DRY_RUN=1]
	@$(RUN) cicd.approve $(REGION_GIVEN) --package "$(PACKAGE)" --group "$(if $(PACKAGE),,$(GROUP_OR_PROJECT))" \
		$(if $(filter-out 0,$(DRY_RUN)),--dry-run)

stage-configs: $(VENV)/.deploy ## Write what CloudFormation is given for each stage: PROJECT=... REGION=... BUCKET=...
	@$(RUN) cicd.build $(REGION_GIVEN) --group "$(GROUP_OR_PROJECT)" --service "$(PROJECT)" --bucket "$(BUCKET)" \
		$(if $(LAMBDA_REPOSITORY),--lambda-image "$(ECR)/$(LAMBDA_REPOSITORY):$(TAG)") \
		$(if $(PROJECT_ID),--tag "sagemaker:project-name=$(PROJECT)" --tag "sagemaker:project-id=$(PROJECT_ID)") \
		--output "$(CONFIGURATIONS)"

release: $(VENV)/.deploy ## Deploy a stage as stage-configs wrote it: STAGE=... REGION=... BUCKET=... [STACKS_ROLE=...]
	@$(RUN) cicd.release $(REGION_GIVEN) --configuration "$(CONFIGURATIONS)/$(STAGE).json" --bucket "$(BUCKET)" \
		--role "$(STACKS_ROLE)"

integration-test: CONFIGURATION ?= $(CONFIGURATIONS)/staging.json
integration-test: $(VENV)/.deploy ## Compare an endpoint's answers with its model's: [CONFIGURATION=... ROWS=... REGION=...]
	@$(RUN) cicd.integration_test $(REGION_GIVEN) --configuration "$(CONFIGURATION)" $(if $(ROWS),--rows "$(ROWS)")

sam-venv: $(SAM_VENV)/.made ## Make the environment of sam local, which the tests of the REST API drive

# Less of it, or more: make bench BENCH="--peers ours,aws --workloads csv".
bench: $(VENV)/.runtime ## Measure serving against other servers; needs wrk, nginx and Java
	@$(RUN) bench.serving $(BENCH)

bench-quick: $(VENV)/.runtime ## Show in half a minute that the measurement runs; needs wrk
	@$(RUN) bench.serving --quick $(BENCH)

venv: $(VENV)/.test $(VENV)/.lint ## Make the environment with everything development needs

lock: $(VENV)/.lock ## Make the locks again from pyproject.toml; UPGRADE=1 takes newer releases
	@$(RUN) uv --version
	$(COMPILE) --override locks/overrides.in pyproject.toml locks/undeclared.in -o locks/runtime.txt
	for group in build test lint lock mms deploy lambda; do \
		$(COMPILE) --override locks/overrides.in --group $$group -c locks/runtime.txt \
			-o locks/$$group.txt || exit 1; done
	$(COMPILE) --group sam -o locks/sam.txt
	$(COMPILE) --override locks/overrides.in --override locks/overrides_mlops.in --group mlops \
		$(patsubst %,-c locks/%.txt,runtime test lint) -o locks/mlops.txt
	for peer in $(patsubst bench/peers/%.txt,%,$(wildcard bench/peers/*.txt)); do \
		$(COMPILE) --override bench/peers/overrides.in -c locks/runtime.txt \
			bench/peers/$$peer.in -o bench/peers/$$peer.txt || exit 1; done

clean: ## Remove the environment and everything made by a run
	rm -rf $(VENV) $(MLOPS_VENV) $(SAM_VENV) local_test/.run .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
	find src tests container local_test bench pipelines deploy cicd -name __pycache__ -type d -prune -exec rm -rf {} +

# --no-config: a machine's own settings must not leave a trace in the locks.
COMPILE = $(RUN) uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# The folder is part of what .venv depends on: a moved or copied checkout makes its own again.
# So is a PYTHON that is named: another one makes another environment.
NAMED := $(if $(filter-out file default undefined,$(origin PYTHON)),$(PYTHON))
$(VENV)/.made: $(if $(shell test "$$(sed -n 1p $(VENV)/.made 2>/dev/null)" = "$$PWD" && \
	{ test -z "$(NAMED)" || test "$$(sed -n 2p $(VENV)/.made)" = "$(NAMED)"; } || echo moved),moved)
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 with venv and ensurepip was found on PATH." \
		"Install one (Debian: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3.13 ..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "PYTHON=$(PYTHON) is not a Python 3.11, 3.12 or 3.13 that runs. Name one: make PYTHON=/path/to/python3.13 ..." >&2; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" --version)"
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@printf '%s\n%s\n' "$$PWD" "$(PYTHON)" >$@

.PHONY: moved
moved:

# The package itself is installed editable and without build isolation, so nothing is fetched for it.
$(VENV)/.runtime: $(VENV)/.made locks/runtime.txt locks/build.txt pyproject.toml
	@echo "Installing the run-time packages into $(VENV)"
	@$(INSTALL) -r locks/build.txt
	@CC=true LDSHARED=true $(INSTALL) $(FROM_SOURCE) -r locks/runtime.txt
	@$(RUN) pip install -qq --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.%: $(VENV)/.runtime locks/%.txt
	@echo "Installing the $* packages into $(VENV)"
	@$(INSTALL) -r locks/$*.txt
	@touch $@

$(SAM_VENV)/.made: locks/sam.txt
	@echo "Installing sam local into $(SAM_VENV)"
	@rm -rf $(SAM_VENV)
	@"$(PYTHON)" -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: -r locks/sam.txt
	@touch $@

# The lock is whole, but for what locks/overrides_mlops.in leaves out.
$(VENV)/.mlops: $(VENV)/.runtime locks/mlops.txt
	@echo "Installing the mlops packages into $(VENV)"
	@$(INSTALL) --no-deps -r locks/mlops.txt
	@touch $@

$(VENV)/.lock: $(VENV)/.made locks/lock.txt
	@$(INSTALL) -r locks/lock.txt
	@touch $@
