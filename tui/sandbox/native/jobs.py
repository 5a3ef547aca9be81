"""Batch jobs of the control plane: CreateModelInvocationJob and what reads and stops a job.

Fields, ranges, statuses and exceptions are the service model's, VERIFIED (botocore); the words ASSUMED. No
bucket is read: a job runs for as long as a background response does and then is Completed. Jobs are forgotten
with the server.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .. import aws
from ..body import json_of
from ..converse.route import model_of
from ..faults import Fault
from ..place import Place
from ..service import Service
from ..shapes import Json, array_at, is_object, object_at
from ..stream import JsonAnswer

ACCOUNT = "123456789012"
_URI = r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:/[-!_*'().a-z0-9A-Z]+)*/?"
_PATTERNS = {
    "jobName": r"[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9+\-.]){0,63}",
    "roleArn": r"arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+",
    "clientRequestToken": r"[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}",
}
_RUNNING = ("Submitted", "Validating", "InProgress")


class Jobs:
    """The jobs of every region.

    Args:
        service: the server's state.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs: dict[str, Json] = {}
        self._lock = threading.Lock()

    async def create(self, request: Request, place: Place, fault: Fault) -> Response:
        """POST /model-invocation-job.

        Raises:
            AwsError: 400; 409 for a name or a token that was used for another job.
        """
        body = await json_of(request)
        _check(body)
        model = model_of(str(body["modelId"]))
        if model.benchmark is not None:
            raise aws.no_such_model()
        with self._lock:
            return JsonAnswer(200, {"jobArn": self._created(body, place)}, fault=fault)

    def _created(self, body: Json, place: Place) -> str:
        here = [job for job in self._jobs.values() if _region(job) == place.region]
        for job in here:
            if (
                body.get("clientRequestToken")
                and job["asked"].get("clientRequestToken") == body["clientRequestToken"]
            ):
                if job["asked"] == body:
                    return job["arn"]
                raise aws.AwsError(409, "The client request token was used for another job.")
            if job["asked"]["jobName"] == body["jobName"]:
                raise aws.AwsError(409, f"A job with the name '{body['jobName']}' exists already.")
        name = hashlib.sha256(self._service.ids("job").encode()).hexdigest()[:12]
        partition = "aws-us-gov" if place.region.startswith("us-gov-") else "aws"
        arn = f"arn:{partition}:bedrock:{place.region}:{ACCOUNT}:model-invocation-job/{name}"
        self._jobs[arn] = {"arn": arn, "asked": body, "at": self._service.clock(), "stopped": None}
        return arn

    async def get(self, request: Request, place: Place, fault: Fault) -> Response:
        """GET /model-invocation-job/ID; the id or the whole ARN.

        Raises:
            AwsError: 404.
        """
        return JsonAnswer(200, self._told(self._job(request, place)), fault=fault)

    async def stop(self, request: Request, place: Place, fault: Fault) -> Response:
        """POST /model-invocation-job/ID/stop.

        Raises:
            AwsError: 404; 409 where it has ended.
        """
        job = self._job(request, place)
        if self._status(job) not in _RUNNING:
            raise aws.AwsError(409, "The job is in a final state and cannot be stopped.")
        job["stopped"] = self._service.clock()
        return JsonAnswer(200, {}, fault=fault)

    async def list(self, request: Request, place: Place, fault: Fault) -> Response:
        """GET /model-invocation-jobs, newest first unless `sortOrder` is Ascending; all on one page."""
        asked: Mapping[str, str] = request.query_params
        jobs = [self._told(job) for job in self._jobs.values() if _region(job) == place.region]
        found = [
            job
            for job in jobs
            if asked.get("nameContains", "") in job["jobName"]
            and asked.get("statusEquals", job["status"]) == job["status"]
        ]
        if asked.get("sortOrder") != "Ascending":
            found.reverse()
        return JsonAnswer(200, {"invocationJobSummaries": found}, fault=fault)

    def _job(self, request: Request, place: Place) -> Json:
        name = str(request.path_params["id"])
        for arn, job in self._jobs.items():
            if name in (arn, arn.rpartition("/")[2]) and _region(job) == place.region:
                return job
        raise aws.AwsError(404, "The provided model invocation job identifier does not exist.")

    def _status(self, job: Json) -> str:
        if job["stopped"] is not None:
            return "Stopped"
        spent = (self._service.clock() - job["at"]) / (self._service.options.background_seconds or 0.001)
        return "Completed" if spent >= 1 else _RUNNING[int(max(0.0, spent) * 3)]

    def _told(self, job: Json) -> Json:
        status, begun = self._status(job), job["at"]
        ends = job["stopped"] or begun + self._service.options.background_seconds
        asked: Json = {key: value for key, value in job["asked"].items() if key != "tags"}
        hours: int = asked.get("timeoutDurationInHours") or 24
        told: Json = {
            "timeoutDurationInHours": hours,
            "modelInvocationType": "InvokeModel",
            **asked,
            "jobArn": job["arn"],
            "status": status,
            "submitTime": _time(begun),
            "lastModifiedTime": _time(min(ends, self._service.clock())),
            "jobExpirationTime": _time(begun + hours * 3600),
        }
        return told if status in _RUNNING else {**told, "endTime": _time(ends)}


def _region(job: Json) -> str:
    return str(job["arn"]).split(":")[3]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check(body: Json) -> None:
    for name in ("jobName", "roleArn", "modelId", "inputDataConfig", "outputDataConfig"):
        if body.get(name) is None:
            raise aws.missing(name)
    for name, pattern in _PATTERNS.items():
        value: Any = body.get(name)
        if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise aws.constraint(value, name, f"Member must satisfy regular expression pattern: {pattern}")
    given = object_at(object_at(body, "inputDataConfig"), "s3InputDataConfig")
    if given.get("s3InputFormat") not in (None, "JSONL"):
        place = "inputDataConfig.s3InputDataConfig.s3InputFormat"
        raise aws.constraint(given["s3InputFormat"], place, "Member must satisfy enum value set: [JSONL]")
    _check_uri(given, "inputDataConfig.s3InputDataConfig.s3Uri")
    _check_uri(
        object_at(object_at(body, "outputDataConfig"), "s3OutputDataConfig"),
        "outputDataConfig.s3OutputDataConfig.s3Uri",
    )
    hours: Any = body.get("timeoutDurationInHours")
    if hours is not None and (
        isinstance(hours, bool) or not isinstance(hours, int) or not 24 <= hours <= 168
    ):
        raise aws.constraint(hours, "timeoutDurationInHours", "Member must be between 24 and 168, inclusive")
    kind: Any = body.get("modelInvocationType")
    if kind not in (None, "InvokeModel", "Converse"):
        rule = "Member must satisfy enum value set: [InvokeModel, Converse]"
        raise aws.constraint(kind, "modelInvocationType", rule)
    if not all(is_object(tag) and "key" in tag and "value" in tag for tag in array_at(body, "tags")):
        raise aws.missing("tags.1.member.key")


def _check_uri(config: Json, place: str) -> None:
    uri: Any = config.get("s3Uri")
    if uri is None:
        raise aws.missing(place)
    if not isinstance(uri, str) or not re.fullmatch(_URI, uri):
        raise aws.constraint(uri, place, f"Member must satisfy regular expression pattern: {_URI}")
