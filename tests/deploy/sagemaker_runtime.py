"""What stands between a client and the container on SageMaker, as far as a client can tell.

`POST /endpoints/NAME/invocations` on the wire as botocore's model of sagemaker-runtime has it: the
request's headers go on to the container, its refusals come back as ModelError 424, and exchanges
can be captured as JSON lines (AWS, "Capture data from real-time endpoint").
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

# Header of the service -> header the container gets; of the API reference of InvokeEndpoint.
FORWARDED = {
    "Content-Type": "Content-Type",
    "Accept": "Accept",
    "X-Amzn-SageMaker-Custom-Attributes": "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-Inference-Id": "X-Amzn-SageMaker-Inference-Id",
}
CSV_TYPES, JSON_TYPES = ("text/csv",), ("application/json", "application/jsonlines")


class Fault:
    """What the service answers by itself: a status, an error's name and its text."""

    def __init__(self, status: int, name: str, text: str, **members: object) -> None:
        self.status, self.name = status, name
        self.body = {"Message": text, **members}


class Runtime(ThreadingHTTPServer):
    """The service. `faults` are answered first, one a request; None lets a request be answered."""

    daemon_threads = True

    def __init__(self, host: str, endpoint: str, container: tuple[str, int]) -> None:
        super().__init__((host, 0), _Handler)
        self.endpoint, self.container = endpoint, container
        self.faults: deque[Fault | None] = deque()
        self.held = threading.Event()
        self.holds = False
        self.captured: list[str] = []
        self.seen: list[Mapping[str, str]] = []

    @property
    def url(self) -> str:
        """Address for AWS_ENDPOINT_URL."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def write_captured(self, folder: Path) -> Path:
        """Write what was captured where SageMaker would, below a folder; return the file."""
        now = datetime.now(UTC)
        file = folder / self.endpoint / "primary" / f"{now:%Y/%m/%d/%H}" / f"{now:%M-%S}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(line + "\n" for line in self.captured), encoding="utf-8")
        return file


@contextmanager
def runtime(host: str, endpoint: str, container: tuple[str, int]) -> Iterator[Runtime]:
    """Run the service in front of a container until the block ends."""
    server = Runtime(host, endpoint, container)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.held.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Runtime

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(dict(self.headers.items()))
        if self.server.holds:
            self.server.held.wait()
            return
        fault = self.server.faults.popleft() if self.server.faults else None
        if fault is None and self.path != f"/endpoints/{self.server.endpoint}/invocations":
            fault = Fault(400, "ValidationError", f"Endpoint {self.path} of account not found.")
        if fault is not None:
            self._fail(fault)
            return
        headers = {
            into: self.headers[name] for name, into in FORWARDED.items() if name in self.headers
        }
        host, port = self.server.container
        with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status >= 400:
            self._fail(_model_error(answer.status, content.decode()))
            return
        told = {name: answer.headers[name] for name in FORWARDED if name in answer.headers}
        self.server.captured.append(captured_line(headers, body, told, content))
        self._send(answer.status, content, {**told, "x-Amzn-Invoked-Production-Variant": "primary"})

    def _fail(self, fault: Fault) -> None:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": fault.name}
        self._send(fault.status, json.dumps(fault.body).encode(), headers)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests read what is answered."""


def _model_error(status: int, text: str) -> Fault:
    whose = "client" if status < 500 else "server"
    told = (
        f'Received {whose} error ({status}) from primary with message "{text}". See '
        "https://console/cloudwatch for more information."
    )
    return Fault(424, "ModelError", told, OriginalStatusCode=status, OriginalMessage=text)


def captured_line(
    request: Mapping[str, str], body: bytes, answer: Mapping[str, str], content: bytes
) -> str:
    """Return an exchange as data capture writes it, CSV and JSON as text, the rest in base64."""
    event = {"eventId": str(uuid4()), "inferenceTime": f"{datetime.now(UTC):%FT%TZ}"}
    if "X-Amzn-SageMaker-Inference-Id" in request:
        event["inferenceId"] = request["X-Amzn-SageMaker-Inference-Id"]
    return json.dumps(
        {
            "captureData": {
                "endpointInput": _side(request.get("Content-Type", ""), "INPUT", body),
                "endpointOutput": _side(answer.get("Content-Type", ""), "OUTPUT", content),
            },
            "eventMetadata": event,
            "eventVersion": "0",
        }
    )


def _side(content_type: str, mode: str, body: bytes) -> dict[str, str]:
    name = content_type.partition(";")[0].strip()
    encoding = "CSV" if name in CSV_TYPES else "JSON" if name in JSON_TYPES else "BASE64"
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
    return {
        "observedContentType": content_type,
        "mode": mode,
        "data": data,
        "encoding": encoding,
    }
