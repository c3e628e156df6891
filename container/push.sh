#!/usr/bin/env bash
# Pushes IMAGE:TAG to ECR; `make push` calls it with its variables in the environment.
#
# REGISTRY stands in for ACCOUNT's own registry host. DRY_RUN=1 prints the commands and runs none.
set -euo pipefail

if [[ -z ${ACCOUNT:-} || -z ${REGION:-} ]]; then
    echo "make push needs ACCOUNT (12 digits) and REGION, and has ACCOUNT='${ACCOUNT:-}' REGION='${REGION:-}'." >&2
    echo "For example: make push ACCOUNT=123456789012 REGION=eu-west-1 [REPOSITORY=churn-daal] [TAG=1.0.0]" >&2
    exit 2
fi
if [[ ! $REGION =~ ^[a-z0-9-]+$ ]]; then
    echo "REGION='$REGION' is not an AWS region: expected one such as eu-west-1." >&2
    exit 2
fi
if [[ -z ${REGISTRY:-} && ! $ACCOUNT =~ ^[0-9]{12}$ ]]; then
    echo "ACCOUNT='$ACCOUNT' is not an AWS account number: expected 12 digits." >&2
    exit 2
fi

suffix=amazonaws.com
[[ $REGION == cn-* ]] && suffix=amazonaws.com.cn
registry=${REGISTRY:-$ACCOUNT.dkr.ecr.$REGION.$suffix}
target=$registry/$REPOSITORY:$TAG
login="aws ecr get-login-password --region $REGION | docker login --username AWS --password-stdin $registry"
describe=(aws ecr describe-repositories --region "$REGION" --repository-names "$REPOSITORY")
create=(aws ecr create-repository --region "$REGION" --repository-name "$REPOSITORY"
    --image-scanning-configuration scanOnPush=true)

case ${DRY_RUN:-0} in
    0 | 1) ;;
    *)
        echo "DRY_RUN='$DRY_RUN' is neither 1, which prints the commands, nor 0, which runs them." >&2
        exit 2
        ;;
esac
if [[ ${DRY_RUN:-0} == 1 ]]; then
    echo "$login"
    echo "${describe[*]} || ${create[*]}"
    echo "docker tag $IMAGE:$TAG $target"
    echo "docker push $target"
    exit 0
fi

for program in aws docker; do
    command -v "$program" >/dev/null || { echo "make push needs '$program' on PATH." >&2; exit 2; }
done
docker image inspect "$IMAGE:$TAG" >/dev/null 2>&1 ||
    { echo "There is no image $IMAGE:$TAG here: run 'make build IMAGE=$IMAGE TAG=$TAG' first." >&2; exit 2; }

aws ecr get-login-password --region "$REGION" | docker login --username AWS --password-stdin "$registry"
# Only an absent repository is made; any other refusal, of rights say, is the caller's to read.
if ! told=$("${describe[@]}" 2>&1); then
    [[ $told == *RepositoryNotFoundException* ]] || { echo "$told" >&2; exit 1; }
    "${create[@]}" >/dev/null
fi
docker tag "$IMAGE:$TAG" "$target"
docker push "$target"
echo "pushed $target"
