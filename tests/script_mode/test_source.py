"""Code on S3 is fetched through the toolkit, and code that is not there is told with its remedy."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .conftest import LayScript

AWS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def archive() -> bytes:
    """Return a sourcedir.tar.gz with one program."""
    text = b"print('from S3')"
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return made.getvalue()


class Bucket(BaseHTTPRequestHandler):
    """S3's two answers for one object, `code/sourcedir.tar.gz` in any bucket."""

    def do_HEAD(self) -> None:
        """Tell whether there is such an object."""
        self._answer()

    def do_GET(self) -> None:
        """Send it."""
        body = self._answer()
        self.wfile.write(body)

    def _answer(self) -> bytes:
        body = archive() if self.path.endswith("/code/sourcedir.tar.gz") else b""
        self.send_response(200 if body else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Serve the bucket on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_code_is_fetched_from_s3(lay: LayScript, s3: str) -> None:
    """As the SDK sends it, at the endpoint that the toolkit takes from the environment."""
    job = lay({}, sagemaker_submit_directory="s3://bucket/code/sourcedir.tar.gz")

    done = job.run(**AWS, S3_ENDPOINT_URL=s3)

    assert (done.returncode, done.stdout) == (0, "from S3\n"), done.stderr


def test_code_that_s3_refuses_is_told_with_the_remedy(lay: LayScript, s3: str) -> None:
    """The role and the `code` channel are what a user can change."""
    job = lay({}, sagemaker_submit_directory="s3://bucket/other.tar.gz")

    done = job.run(**AWS, S3_ENDPOINT_URL=s3)

    assert done.returncode == 1
    assert "the code at s3://bucket/other.tar.gz cannot be fetched" in job.failure
    assert "403" in job.failure
    assert "the job's role needs s3:GetObject" in job.failure
    assert "takes its code from a channel 'code'" in job.failure
