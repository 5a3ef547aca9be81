"""A batch job: records go to S3, and CreateModelInvocationJob starts it. AWS's own client is an extra."""

from __future__ import annotations

import importlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tui.core.aws import ENVIRONMENT
from tui.core.errors import InputError, TokenMissing, WireError
from tui.core.text import visible_line

__all__ = ["BatchJob", "aws_client", "check_place", "job_request", "start"]

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ROLE: Final = re.compile(r"arn:aws(-[^:]+)?:iam::\d{12}:role/.+")
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9+.-]{0,63}")
_PREFIX: Final = re.compile(r"[a-zA-Z0-9!_*'()./-]*")
_MISSING: Final = (
    "This needs AWS's own client, which is an extra: install outcrop[aws] "
    "(uv tool install 'outcrop[aws]', or pip install boto3 beside it)."
)


_SIGNATURES: Final = {"bedrock": "v4", "s3": "s3v4"}


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What is to be started.

    Attributes:
        name: Of the job.
        model: Model id.
        region: AWS region of the bucket and the job.
        role: ARN of the role that Bedrock takes.
        bucket: Of S3.
        key: Of the records in it.
        results: Beginning of the keys of what the job writes.
        aws_profile: Whose credentials upload and start; empty for those that AWS's tools find.
    """

    name: str
    model: str
    region: str
    role: str
    bucket: str
    key: str
    results: str
    aws_profile: str = ""

    @property
    def input_uri(self) -> str:
        """Where the records go."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def output_uri(self) -> str:
        """Where the results come."""
        return f"s3://{self.bucket}/{self.results}"


def check_place(bucket: str, role: str, name: str, prefix: str) -> None:
    """Refuse what can be no bucket, role, name of a job or place in a bucket.

    Raises:
        InputError: The sentence says which.
    """
    if not _BUCKET.fullmatch(bucket):
        raise InputError(
            f"--bucket: {visible_line(bucket)} is no name of a bucket (3 to 63 of a-z, 0-9, . and -)."
        )
    if not _ROLE.fullmatch(role):
        raise InputError("--role: an ARN such as arn:aws:iam::123456789012:role/bedrock-batch is wanted.")
    if not _NAME.fullmatch(name):
        raise InputError("--name: letters, digits, -, + and . make the name of a job, 64 of them at most.")
    if not _PREFIX.fullmatch(prefix):
        raise InputError(f"--prefix: {visible_line(prefix)} holds what a place in a bucket must not.")


def job_request(job: BatchJob) -> dict[str, Any]:
    """The members of CreateModelInvocationJob."""
    return {
        "jobName": job.name,
        "modelId": job.model,
        "roleArn": job.role,
        "inputDataConfig": {"s3InputDataConfig": {"s3InputFormat": "JSONL", "s3Uri": job.input_uri}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": job.output_uri}},
    }


def start(job: BatchJob, records: Path) -> str:
    """Upload the records and start the job; returns its ARN.

    Raises:
        InputError: boto3 is missing, or AWS refuses what was given.
        TokenError: There are no credentials of AWS.
        WireError: AWS cannot be reached, or fails.
    """
    with _sentences():
        storage, bedrock = (aws_client(name, job.region, job.aws_profile) for name in ("s3", "bedrock"))
        with records.open("rb") as file:
            storage.upload_fileobj(file, job.bucket, job.key, ExtraArgs={"ContentType": "application/jsonl"})
        return str(bedrock.create_model_invocation_job(**job_request(job))["jobArn"])


def aws_client(service: str, region: str, profile: str = "") -> Any:
    """AWS's client of a service, with the credentials of a profile, or those that AWS's tools find.

    Raises:
        InputError: boto3 is not installed; the sentence says what to do.
        TokenError: The profile that is asked for is not there.
    """
    with _sentences():
        boto3: Any = importlib.import_module("boto3")
        # A session of its own: the module keeps the first credentials that it finds.
        named = None if profile in ("", ENVIRONMENT) else profile
        # Signed, always: by itself it would send the key of AWS_BEARER_TOKEN_BEDROCK, and to wherever
        # AWS_ENDPOINT_URL says.
        signed = importlib.import_module("botocore.config").Config(signature_version=_SIGNATURES[service])
        session = boto3.session.Session(profile_name=named)
        return session.client(service, region_name=region, config=signed)


@contextmanager
def _sentences() -> Generator[None]:
    """Turn what botocore raises into sentences."""
    try:
        importlib.import_module("boto3")
        errors: Any = importlib.import_module("botocore.exceptions")
        transfer: Any = importlib.import_module("boto3.exceptions")
    except ImportError:
        raise InputError(_MISSING) from None
    try:
        yield
    except (errors.NoCredentialsError, errors.PartialCredentialsError, errors.ProfileNotFound):
        raise TokenMissing(
            "There are no credentials of AWS. A bucket takes no Bedrock API key: give --aws-profile, or set "
            "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from None
    except (errors.ClientError, transfer.S3UploadFailedError) as error:
        raise WireError(f"AWS refused it: {visible_line(str(error))}", code="aws") from None
    except errors.ParamValidationError as error:
        raise InputError(f"AWS takes no such job: {visible_line(str(error))}") from None
    except errors.BotoCoreError as error:
        raise WireError(f"AWS could not be asked: {visible_line(str(error))}", code="aws") from None
