"""What AWS's own APIs say instead of OpenAI's error object (bedrock-facts.md section 4).

The exceptions and their statuses are those of AWS's service model, VERIFIED (botocore); so is that the name
is in `x-amzn-ErrorType` (its protocol). The messages are ASSUMED unless section 4 has them.
"""

from __future__ import annotations

from .errors import ApiError
from .shapes import Json, is_object

_EXCEPTIONS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    409: "ConflictException",
    413: "ValidationException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_MESSAGES = {
    403: "You don't have access to the model with the specified model ID.",
    404: "Could not resolve the foundation model from the provided model identifier.",
    408: "Model has timed out in processing the request. Try your request again.",
    424: "The model returned the following errors: the sandbox was told to fail.",
    429: "Too many tokens, please wait before trying again.",
    503: "Bedrock is unable to process your request.",
}


class AwsError(ApiError):
    """A refusal with the body `{"message": …}` and the exception's name in a header.

    Args:
        status: the HTTP status.
        message: for people.
        exception: its name; by default the one of the status.
        headers: additional ones.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        exception: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        name = exception or _EXCEPTIONS.get(status, "InternalServerException")
        super().__init__(status, None, message, headers={"x-amzn-errortype": name, **(headers or {})})
        self.body: Json = {"message": message}


def of_status(status: int) -> AwsError:
    """The usual refusal with this status."""
    return AwsError(status, _MESSAGES.get(status, "The system encountered an unexpected error."))


def translated(error: ApiError) -> ApiError:
    """The same refusal in AWS's words; the gateway's `{"Message": …}` stays as it is, with a name."""
    if isinstance(error, AwsError):
        return error
    inner: object = error.body.get("error")
    headers = error.headers
    if is_object(inner):
        return AwsError(error.status, str(inner.get("message")), headers=headers)
    error.headers = {"x-amzn-errortype": _EXCEPTIONS.get(error.status, "InternalServerException"), **headers}
    return error


def invalid(message: str) -> AwsError:
    """A ValidationException."""
    return AwsError(400, message)


def constraint(value: object, place: str, rule: str) -> AwsError:
    """A value that breaks the service model, in the words that AWS's services share (ASSUMED)."""
    return AwsError(
        400, f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {rule}"
    )


def missing(place: str) -> AwsError:
    """A required member is absent."""
    return constraint("null", place, "Member must not be null")


def extraneous(name: str) -> AwsError:
    """A field of a model's own that the model does not know."""
    return AwsError(
        400,
        f"Malformed input request: #: extraneous key [{name}] is not permitted,"
        " please reformat your input and try again.",
    )


def no_such_model() -> AwsError:
    """An id that is no model's (ASSUMED)."""
    return AwsError(400, "The provided model identifier is invalid.")


def wrong_action() -> AwsError:
    """A model that has this API not (ASSUMED)."""
    return AwsError(
        400,
        "This action doesn't support the model that you provided."
        " Try again with a supported text or chat model.",
    )
