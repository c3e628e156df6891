#!/usr/bin/env bash
# Posts a file to the model that serve_local.sh serves and prints the answer.
#
#   local_test/predict.sh PAYLOAD [CONTENT_TYPE]      the type follows the file's name unless given
#
# PORT as for serve_local.sh; ACCEPT is the type of answer asked for.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/opt_ml.sh"

payload=${1:?usage: local_test/predict.sh PAYLOAD [CONTENT_TYPE]}
kind=text/csv
[[ $payload == *.json ]] && kind=application/json
# Any Python will do: nothing but its standard library is used.
python=$(find_python 2>/dev/null) || python=python3
exec "$python" - "$port" "$payload" "${2:-$kind}" "${ACCEPT:-}" <<'PY'
import http.client
import pathlib
import sys

port, payload, kind, accept = sys.argv[1:]
try:
    data = pathlib.Path(payload).read_bytes()
except OSError as error:
    sys.exit(f"The payload cannot be read: {error}")
headers = {"Content-Type": kind} | ({"Accept": accept} if accept else {})
try:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("POST", "/invocations", data, headers)
    answer = connection.getresponse()
    body = answer.read().decode()
except OSError as error:
    sys.exit(f"{error}. Is local_test/serve_local.sh running on port {port}?")
print(body, end="" if body.endswith("\n") else "\n")
if answer.status // 100 != 2:
    sys.exit(f"refused: {answer.status} {answer.reason}")
PY
