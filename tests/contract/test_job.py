"""The configuration files are read as SageMaker writes them, and refused by file and place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from churn_daal.contract.job import TrainingJob, read_job
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError


def write(paths: SageMakerPaths, name: str, content: object) -> None:
    """Write a configuration file: a text as it is, anything else as JSON."""
    paths.config.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (paths.config / name).write_text(text, encoding="utf-8")


@pytest.fixture
def paths(tmp_path: Path) -> SageMakerPaths:
    """Return a prefix with a train folder and no configuration."""
    made = SageMakerPaths(tmp_path)
    made.channel("train").mkdir(parents=True)
    return made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.1", "0.1"),
        ('"reg:squarederror"', "reg:squarederror"),
        ("reg:squarederror", "reg:squarederror"),
        ('"\\t"', "\t"),
        (3, "3"),
        (0.5, "0.5"),
        (True, "true"),
        (["auc", "é"], '["auc", "é"]'),
        ("[0, 1]", "[0, 1]"),
        ("null", "null"),
        ("", ""),
        ('"\\"twice\\""', '"twice"'),
    ],
)
def test_a_hyperparameter_becomes_plain_text(
    paths: SageMakerPaths, value: object, expected: str
) -> None:
    """Texts, quoted JSON texts, numbers, booleans and lists each give one plain text."""
    write(paths, "hyperparameters.json", {"name": value})

    assert read_job(paths).hyperparameters == {"name": expected}


def test_sagemakers_own_names_are_kept_apart(paths: SageMakerPaths) -> None:
    """Reserved names neither reach the parser nor get lost."""
    write(
        paths,
        "hyperparameters.json",
        {
            "eta": "0.1",
            "sagemaker_region": '"eu-west-1"',
            "_tuning_objective_metric": "validation:auc",
        },
    )

    job = read_job(paths)

    assert job.hyperparameters == {"eta": "0.1"}
    assert job.reserved == {
        "sagemaker_region": "eu-west-1",
        "_tuning_objective_metric": "validation:auc",
    }


def test_a_job_without_configuration_has_defaults(paths: SageMakerPaths) -> None:
    """Folders are channels, the host is algo-1, and there are no hyperparameters."""
    (paths.input_data / "validation").mkdir()
    (paths.input_data / ".cache").mkdir()
    (paths.input_data / "train-manifest").write_text("{}")

    job = read_job(paths)

    assert job.hyperparameters == {}
    assert list(job.channels) == ["train", "validation"]
    assert job.channels["train"].path == paths.channel("train")
    assert job.channels["train"].content_type is None
    assert (job.hosts, job.current_host) == (("algo-1",), "algo-1")
    assert job.checkpoint_dir is None


def test_a_job_without_any_folder_has_no_channels(tmp_path: Path) -> None:
    """An empty prefix is a job without input, which the caller has to judge."""
    assert read_job(SageMakerPaths(tmp_path)) == TrainingJob({}, {}, {}, ("algo-1",), "algo-1")


def test_channels_carry_what_the_file_says(paths: SageMakerPaths) -> None:
    """The type is split from its parameters and keys that are not known do no harm."""
    write(
        paths,
        "inputdataconfig.json",
        {
            "train": {
                "ContentType": 'Text/CSV; label_size=1; charset="utf-8"',
                "TrainingInputMode": "FastFile",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
                "Unheard": {"of": 1},
            },
            "extra": {"ContentType": ""},
        },
    )

    channels = read_job(paths).channels

    train = channels["train"]
    assert train.content_type == "text/csv"
    assert train.parameters == {"label_size": "1", "charset": "utf-8"}
    assert (train.input_mode, train.distribution) == ("FastFile", "FullyReplicated")
    assert train.record_wrapper == "None"
    assert (channels["extra"].content_type, channels["extra"].input_mode) == (None, "File")


def test_the_files_of_a_real_job_are_read(paths: SageMakerPaths) -> None:
    """Files and keys beside the ones that count are tolerated."""
    write(
        paths,
        "resourceconfig.json",
        {
            "current_host": "algo-1",
            "current_instance_type": "ml.m5.large",
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [{"hosts": ["algo-1"]}],
            "network_interface_name": "eth0",
            "topology": None,
        },
    )
    for name in ("init-config.json", "trainingjobconfig.json", "upstreamoutputdataconfig.json"):
        write(paths, name, "not even JSON")

    job = read_job(paths)

    assert (job.hosts, job.current_host) == (("algo-1",), "algo-1")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"LocalPath": "/opt/ml/checkpoints"}, "checkpoints"),
        ({"LocalPath": "/opt/ml/kept/here"}, "kept/here"),
        ({}, "checkpoints"),
        ({"LocalPath": "/elsewhere"}, "/elsewhere"),
    ],
)
def test_checkpoints_go_where_the_file_says(
    paths: SageMakerPaths, content: object, expected: str
) -> None:
    """A path under /opt/ml moves with the prefix, any other stays."""
    write(paths, "checkpointconfig.json", content)

    assert read_job(paths).checkpoint_dir == paths.base / expected


def test_a_byte_order_mark_is_passed_over(paths: SageMakerPaths) -> None:
    """A file saved by an editor that writes a mark is the same file."""
    write(paths, "hyperparameters.json", '\ufeff{"eta": "0.1"}')

    assert read_job(paths).hyperparameters == {"eta": "0.1"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "hyperparameters.json",
            '{"eta": "0.1",\n}',
            r"line \d, column \d+ .* no comma at the end",
        ),
        ("hyperparameters.json", "{'eta': 1}", r"line 1, column 2 is not JSON .* double quotes"),
        ("hyperparameters.json", '{\n "eta" 1}', r"line 2, column 8 is not JSON"),
        ("hyperparameters.json", "", "line 1, column 1 is not JSON"),
        ("hyperparameters.json", ["eta"], r'holds a list; expected an object \{"name": ...\}'),
        ("hyperparameters.json", "7", "holds the number 7; expected an object"),
        ("hyperparameters.json", {"eta": None}, r"'eta' is null; .* Leave it out"),
        ("inputdataconfig.json", "[]", "holds a list; expected an object"),
        ("inputdataconfig.json", {"train": "csv"}, "channel 'train' is a text; expected an object"),
        (
            "inputdataconfig.json",
            {"train": {"TrainingInputMode": "Stream"}},
            r"'train' has TrainingInputMode 'Stream'; expected File, FastFile or Pipe",
        ),
        (
            "inputdataconfig.json",
            {"train": {"TrainingInputMode": "file"}},
            "TrainingInputMode 'file'; expected File, FastFile or Pipe",
        ),
        (
            "inputdataconfig.json",
            {"train": {"ContentType": 1}},
            "channel 'train': 'ContentType' is the number 1; expected a text",
        ),
        ("inputdataconfig.json", {"../train": {}}, "'../train' is not a channel name"),
        (
            "resourceconfig.json",
            {"current_host": "algo-1", "hosts": ["algo-1", "algo-2", "algo-1"]},
            r"'hosts' is \['algo-1', 'algo-2', 'algo-1'\]; expected each host once",
        ),
        (
            "resourceconfig.json",
            {"current_host": "algo-2", "hosts": ["algo-1"]},
            r"'current_host' 'algo-2' is not among 'hosts' \['algo-1'\]",
        ),
        ("resourceconfig.json", {"hosts": ["a"]}, "'current_host' is missing; expected a text"),
        (
            "resourceconfig.json",
            {"current_host": "a", "hosts": "a"},
            "'hosts' is a text; expected a list",
        ),
        ("resourceconfig.json", {"current_host": "a", "hosts": []}, "one or more host names"),
        ("checkpointconfig.json", {"LocalPath": ["x"]}, "'LocalPath' is a list; expected a text"),
    ],
)
def test_a_file_out_of_shape_is_refused(
    paths: SageMakerPaths, name: str, content: object, message: str
) -> None:
    """The message names the file, the place in it, what was expected and the remedy."""
    write(paths, name, content)

    with pytest.raises(UserError, match=f"(?s){re.escape(str(paths.config / name))}.*{message}"):
        read_job(paths)


def test_a_file_in_another_encoding_is_refused(paths: SageMakerPaths) -> None:
    """The message names the byte and the remedy."""
    paths.config.mkdir(parents=True)
    paths.hyperparameters.write_bytes('{"label": "ö"}'.encode("latin-1"))

    with pytest.raises(UserError, match=r"byte 12 is not UTF-8\. Save the file as UTF-8"):
        read_job(paths)


def test_a_folder_in_place_of_a_file_is_refused(paths: SageMakerPaths) -> None:
    """What cannot be opened is named, with the system's reason."""
    paths.hyperparameters.mkdir(parents=True)

    with pytest.raises(UserError, match=r"hyperparameters\.json cannot be read: Is a directory"):
        read_job(paths)
