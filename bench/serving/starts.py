"""How each server is started: the files it reads, its command, its variables."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.serving.home import APPS, ROOT, BenchError
from bench.serving.place import Place, Start

# As many as `serve` has in a worker, for every server that has threads.
THREADS: Final = "16"


def serve(place: Place) -> Start:
    """Start this project's `serve`."""
    environ = {
        "SAGEMAKER_BASE_DIR": str(place.model.parent),
        "SAGEMAKER_BIND_TO_PORT": str(place.port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    }
    return Start([str(place.python), str(ROOT / "container" / "serve")], environ)


def serve_on_granian(place: Place) -> Start:
    """Start this project's app on Granian, which is not among its dependencies."""
    paths = (str(ROOT / "src"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    environ = serve(place).environ | {"BENCH_PATHS": os.pathsep.join(paths)}
    return Start(_granian(place, "ours_wsgi:app"), environ)


def _granian(place: Place, app: str) -> list[str]:
    command = [str(place.python), "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(place.port), "--workers", "1"]
    return [*command, "--blocking-threads", "1", "--working-dir", str(APPS), app]


def _gunicorn(place: Place, app: str, *options: str) -> list[str]:
    bind = ("--bind", f"127.0.0.1:{place.port}", "--workers", "1", "--chdir", str(APPS))
    control = ("--no-control-socket",)
    return [str(place.python), "-m", "gunicorn", *bind, *control, *options, app]


def _booster(place: Place, **more: str) -> dict[str, str]:
    return {"BENCH_BOOSTER": str(place.booster)} | more


def flask(place: Place) -> Start:
    """Start the plain app."""
    command = _gunicorn(place, "plain_flask:app", "--worker-class", "gthread", "--threads", THREADS)
    schema = json.loads((place.model / "daal" / "manifest.json").read_text())["schema"]
    words = {"number": [], "boolean": ["no", "yes"]}
    columns = [
        (column["name"], words.get(column["kind"]) or column.get("categories", []))
        for column in schema["columns"]
    ]
    return Start(command, _booster(place, BENCH_COLUMNS=json.dumps(columns)))


def aws(place: Place) -> Start:
    """Start the restatement of AWS's request path."""
    options = ("-k", "gevent", "--worker-connections", "1000", "--timeout", "60")
    return Start(_gunicorn(place, "aws_path:app", *options), _booster(place))


def bare(engine: str, server: str) -> Callable[[Place], Start]:
    """Return what starts an engine behind the bare callable, on gunicorn or Granian.

    Raises
    ------
    BenchError
        When started: the engine does not take the model.
    """

    def start(place: Place) -> Start:
        model = place.model.resolve()
        made = model.with_name(f"{model.name}.{engine}")
        prepare = [
            str(place.python),
            str(APPS / "engines.py"),
            engine,
            str(place.booster),
            str(made),
        ]
        done = subprocess.run(prepare, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"{engine} does not take the model: {done.stderr[-800:]}")
        environ = _booster(place, BENCH_ENGINE=engine, BENCH_MADE=str(made))
        if server == "gunicorn":
            options = ("--worker-class", "gthread", "--threads", THREADS)
            return Start(_gunicorn(place, "bare:app", *options), environ)
        return Start(_granian(place, "bare:app"), environ)

    return start


def mlserver(place: Place) -> Start:
    """Start MLServer."""
    # Its pool of processes is for several cores; on one, the server's own process is faster.
    settings = {
        "http_port": place.port,
        "grpc_port": place.port + 1,
        "metrics_port": place.port + 2,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "model",
        "implementation": "mlserver_xgboost.XGBoostModel",
        "parameters": {"uri": str(place.folder / "model.ubj")},
    }
    shutil.copy(place.booster, place.folder / "model.ubj")
    (place.folder / "settings.json").write_text(json.dumps(settings))
    (place.folder / "model-settings.json").write_text(json.dumps(model))
    return Start([str(place.python.parent / "mlserver"), "start", str(place.folder)], {})


def mms(place: Place) -> Start:
    """Start multi-model-server.

    Raises
    ------
    BenchError
        There is no Java.
    """
    if shutil.which("java") is None:
        raise BenchError("multi-model-server needs Java: apt-get install default-jre-headless")
    found = [str(place.python), "-c", "import mms; print(mms.__path__[0])"]
    package = Path(subprocess.run(found, capture_output=True, text=True, check=True).stdout.strip())
    lines = (
        f"inference_address=http://127.0.0.1:{place.port}",
        f"management_address=http://127.0.0.1:{place.port + 1}",
        "model_store=/",
        "default_service_handler=mms_service",
        "default_workers_per_model=1",
        "preload_model=false",
        "decode_input_request=false",
        "enable_envvars_config=false",
        "async_logging=true",
        "metric_time_interval=86400",
        "max_request_size=100000000",
        # Requests of a client that has gone stay in it.
        "job_queue_size=1000",
    )
    properties = place.folder / "config.properties"
    properties.write_text("\n".join(lines) + "\n")
    model = place.folder / "model"
    model.mkdir(exist_ok=True)
    for module in ("mms_service.py", "mms_model.py"):
        shutil.copy(APPS / module, model)
    command = [
        *("java", "-Xmx512m", f"-Dmodel_server_home={package.parent}"),
        # What is logged is what sagemaker-inference has it log.
        f"-Dlog4j.configurationFile=file://{package.parent}/sagemaker_inference/etc/log4j2.xml",
        *(f"-Djava.io.tmpdir={place.folder}", "-cp", f"{package / 'frontend' / '*'}"),
        *("com.amazonaws.ml.mms.ModelServer", "--python", str(place.python)),
        *("-f", str(properties), "-s", "/", "-m", f"model={model}"),
    ]
    return Start(command, _booster(place))


def aws_behind_nginx(place: Place) -> Start:
    """Start the same behind nginx, over a socket in a file, as AWS's container runs it.

    Raises
    ------
    BenchError
        nginx is not installed.
    """
    to = place.folder / "gunicorn.sock"
    server = (
        f"keepalive_timeout 3; location / {{ proxy_pass http://unix:{to}:; proxy_redirect off;\n"
        "proxy_set_header Host $http_host; proxy_read_timeout 60s;\n"
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }"
    )
    front = _nginx(place, server, "access_log /dev/stdout combined;")
    behind = aws(place)
    command = [
        word if word != f"127.0.0.1:{place.port}" else f"unix:{to}" for word in behind.command
    ]
    # The group of processes is ended together.
    both = f"{shlex.join(front)} & exec {shlex.join(command)}"
    return Start(["bash", "-c", both], behind.environ)


def nginx(place: Place) -> Start:
    """Start nginx with a constant answer.

    Raises
    ------
    BenchError
        It is not installed.
    """
    answer = "keepalive_requests 100000000; client_body_buffer_size 1m;\n"
    return Start(
        _nginx(place, answer + "location / { return 200 '0.5\n'; }", "access_log off;"), {}
    )


def _nginx(place: Place, server: str, log: str) -> list[str]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise BenchError("nginx is missing: apt-get install nginx-light")
    at = place.folder
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{part}_temp_path {at}/{part};" for part in parts)
    # As root its workers would be another user, who cannot reach a folder of root's own.
    user = "user root;" if os.geteuid() == 0 else ""
    (at / "nginx.conf").write_text(
        f"{user} worker_processes 1; daemon off; pid {at}/pid; error_log {at}/error.log;\n"
        f"events {{ worker_connections 2048; }}\nhttp {{ {log} {temporary}\n"
        f"client_max_body_size 0; server {{ listen 127.0.0.1:{place.port};\n{server} }} }}\n"
    )
    return [program, "-c", str(at / "nginx.conf"), "-p", str(at)]
