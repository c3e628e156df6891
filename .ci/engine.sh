#!/usr/bin/env bash
# Brings up a Docker engine where none answers, installing it first where it is missing.
#
#   .ci/engine.sh STATE_DIR
#
# An engine that already answers is used as it is. One that this script starts leaves its process
# id in STATE_DIR/dockerd.pid and its log in STATE_DIR/dockerd.log; stopping it is the caller's part.
set -euo pipefail

state=${1:?usage: .ci/engine.sh STATE_DIR}
mkdir -p "$state"
log=$state/dockerd.log

if docker info >/dev/null 2>&1; then
    echo "engine: one already answers"
    exit 0
fi

missing=()
command -v dockerd >/dev/null || missing+=(docker.io)
command -v iptables >/dev/null || missing+=(iptables)
command -v debootstrap >/dev/null || missing+=(debootstrap)
if ((${#missing[@]})); then
    echo "engine: installing ${missing[*]}"
    # One package list that cannot be refreshed must not stop the run: the install says what matters.
    apt-get update -qq || echo "engine: some package lists could not be refreshed" >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        "${missing[@]}" ca-certificates </dev/null >"$state/apt.log" 2>&1 ||
        { tail -n 40 "$state/apt.log" >&2; exit 1; }
fi
# The package's own service may have come up during the install.
if docker info >/dev/null 2>&1; then
    echo "engine: started by its package"
    exit 0
fi

# Its own pid file: one left by an engine that died would refuse this one.
nohup dockerd --pidfile "$state/dockerd.pid" </dev/null >"$log" 2>&1 &
engine=$!
for _ in $(seq 120); do
    if docker info >/dev/null 2>&1; then
        echo "engine: started as process $engine, log in $log"
        exit 0
    fi
    if ! kill -0 "$engine" 2>/dev/null; then
        break
    fi
    sleep 0.5
done
echo "engine: dockerd did not come up within 60 s; the end of its log:" >&2
tail -n 40 "$log" >&2
kill "$engine" 2>/dev/null || true
exit 1
