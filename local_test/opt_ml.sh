# Sourced by the scripts beside it: where the scratch copy of test_dir lies and how programs start.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# The scratch /opt/ml of a run. Git ignores it, so no run dirties the checkout.
opt_ml=${OPT_ML:-$here/.run/ml}
[[ $opt_ml == /* ]] || opt_ml=$PWD/$opt_ml
if [[ $opt_ml == *,* ]]; then
    echo "OPT_ML=$opt_ml has a comma, which docker's --mount cannot take: name another folder." >&2
    exit 1
fi
# Stands in a scratch copy, so that no folder of another's is ever cleared.
marker=.scratch-of-local-test
port=${PORT:-8080}

# Lays a fresh copy of test_dir at $opt_ml, with the bundled data where test_dir has none of its own.
lay_opt_ml() {
    local data=$opt_ml/input/data/train
    if [[ -n ${OPT_ML:-} && -n $(ls -A "$opt_ml" 2>/dev/null) && ! -e $opt_ml/$marker ]]; then
        echo "OPT_ML=$opt_ml holds files that no run of these scripts wrote, and a run would clear it:" \
            "name an empty folder or one that is not there." >&2
        exit 1
    fi
    if ! rm -rf "$opt_ml"; then
        echo "Cannot clear $opt_ml, which another user wrote: remove it, or set OPT_ML to another folder." >&2
        exit 1
    fi
    mkdir -p "$opt_ml"
    touch "$opt_ml/$marker"
    cp -R "$here/test_dir/." "$opt_ml"
    # The keepers are there for git; SageMaker's folders hold nothing of the kind.
    find "$opt_ml" -name .gitkeep -delete
    [[ -n $(ls "$data") ]] || cp "$root/src/churn_daal/data/churn.csv" "$data/"
}

# Prints the Python that has the run-time packages: the checkout's own, or the one PYTHON names.
find_python() {
    local python=${PYTHON:-$root/.venv/bin/python}
    if ! command -v "$python" >/dev/null; then
        echo "$python is not there: run 'make demo' once, which installs it, or set PYTHON." >&2
        return 1
    fi
    echo "$python"
}

# Runs the image in the background under a name, so that Ctrl-C stops the container and not only
# the client in front of it, and exits as it did. Arguments: those of `docker run`.
run_image() {
    local name=churn-daal-local-$$ client status=0 image=${*: -2:1}
    if ! docker image inspect "$image" >/dev/null 2>&1; then
        echo "There is no image $image here: run 'make build', or name one of 'docker images'." >&2
        return 1
    fi
    # As the caller: what the container writes is then the caller's to remove.
    docker run --rm --name "$name" --user "$(id -u):$(id -g)" "$@" </dev/null &
    client=$!
    # Again until it is heard: the container may not be there yet.
    trap 'until docker stop --time 30 "$name" >/dev/null 2>&1 || ! kill -0 "$client" 2>/dev/null; do sleep 0.2; done' INT TERM
    wait "$client" || status=$?
    # A trapped signal ends the first wait at once; the second sees the client out.
    if kill -0 "$client" 2>/dev/null; then
        status=0
        wait "$client" || status=$?
    fi
    return "$status"
}
