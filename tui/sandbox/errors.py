"""The error bodies of the endpoint (bedrock-facts.md section 4)."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal with the status and the body that the service would send.

    Attributes:
        status: the HTTP status.
        body: the JSON body, `{"error": {"code", "message", "param", "type"}}`; of a gateway, something else.
        headers: additional response headers (`retry-after`, say).
    """

    def __init__(
        self,
        status: int,
        code: str | None,
        message: str,
        *,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "error": {"code": code, "message": message, "param": param, "type": kind}
        }
        self.headers = headers or {}


def bad_token(*, runtime: bool) -> ApiError:
    """One body for every refused bearer, whatever the reason.

    Section 4 "Invalid/expired bearer, mantle" VERIFIED (cb), of another region VERIFIED 401 (gist-blog);
    "Bad key or wrong key region, runtime" VERIFIED (open-science#53, opencode#47073), with a capital M.
    """
    if runtime:
        refused = ApiError(403, None, "")
        refused.body = {"Message": "Authentication failed: Please make sure your API Key is valid."}
        return refused
    return ApiError(
        401,
        "invalid_api_key",
        "The security token included in the request is invalid.",
        kind="permission_denied_error",
    )


def no_such_model(model: str) -> ApiError:
    """Section 4 "Model not in that region", VERIFIED (litellm#39846)."""
    return ApiError(404, "not_found_error", f"The model '{model}' does not exist")


def needs_profile(model: str) -> ApiError:
    """Section 1.1: runtime takes no foundation id, VERIFIED (aws-resp, oai-bed); status and words ASSUMED."""
    return ApiError(
        400,
        "validation_error",
        f"Invocation of model ID {model} with on-demand throughput isn't supported. Retry your request with"
        " the ID or ARN of an inference profile that contains this model.",
    )


def wrong_route(model: str) -> ApiError:
    """Section 4 "Wrong path prefix", VERIFIED (hermes#52316, stdapi)."""
    return ApiError(400, "validation_error", f"model `{model}` isn't supported on this route")


def wrong_api(model: str, path: str) -> ApiError:
    """Section 4 "Wrong API for the model", VERIFIED (big-AGI#1167) for the message; its code is ASSUMED."""
    return ApiError(400, "validation_error", f"The model '{model}' does not support the '{path}' API")


def unknown_variant(param: str = "input") -> ApiError:
    """Section 4 "Unknown input item type", VERIFIED (litellm#36546) for the message; its code is ASSUMED."""
    return ApiError(
        400,
        "validation_error",
        f"invalid request body: Invalid '{param}': value did not match any expected variant",
    )


def invalid(param: str, why: str) -> ApiError:
    """A parameter of the wrong type or range. ASSUMED: the shape of the other 400s, with `param` named."""
    return ApiError(400, "validation_error", f"invalid request body: Invalid '{param}': {why}", param=param)


def missing(param: str) -> ApiError:
    """A required parameter is absent. ASSUMED (OpenAI's wording is alike)."""
    return ApiError(400, "missing_required_parameter", f"Missing required parameter: '{param}'.", param=param)


def unsupported(param: str, model: str) -> ApiError:
    """Section 8.6: `reasoning.summary` is rejected. VERIFIED (gist-blog) that it fails; its words ASSUMED."""
    return ApiError(
        400,
        "unsupported_parameter",
        f"Unsupported parameter: '{param}' is not supported with the model '{model}'.",
        param=param,
    )


def unsupported_here(param: str) -> ApiError:
    """A parameter that no model here takes. ASSUMED: OpenAI's words."""
    return ApiError(400, "unsupported_parameter", f"Unsupported parameter: '{param}'.", param=param)


def overflow(tokens: int, limit: int, model: str) -> ApiError:
    """Section 4 "Context overflow", VERIFIED (a fixture; litellm#38225): not context_length_exceeded."""
    return ApiError(
        400, "validation_error", f"prompt tokens ({tokens}) exceed model maximum ({limit}) for {model}"
    )


def throttled(wait: int | None) -> ApiError:
    """Section 4 "Throttled": 429 VERIFIED (aws-quota), its body and Retry-After ASSUMED.

    Args:
        wait: seconds for `retry-after`; None leaves it out.
    """
    return ApiError(
        429,
        "rate_limit_exceeded",
        "Too many tokens, please wait before trying again.",
        kind="rate_limit_exceeded",
        headers=None if wait is None else {"retry-after": str(wait)},
    )


def must_not_store() -> ApiError:
    """Section 4 "store:true under retention mode none": VERIFIED (aws-ret), status and words ASSUMED."""
    return ApiError(
        400,
        "validation_error",
        "store must be false: data retention is disabled for this account.",
        param="store",
    )


def no_background(model: str) -> ApiError:
    """Section 4 "background on runtime": 400 VERIFIED (aws-resp), its words ASSUMED."""
    return ApiError(
        400,
        "unsupported_parameter",
        f"Unsupported parameter: 'background' is not supported with the model '{model}'.",
        param="background",
    )


def unsupported_value(param: str, value: object, model: str, allowed: tuple[str, ...]) -> ApiError:
    """A value that this model does not take. ASSUMED: OpenAI's words."""
    return ApiError(
        400,
        "unsupported_value",
        f"Unsupported value: '{value}' is not supported with the '{model}' model."
        f" Supported values are: {', '.join(repr(one) for one in allowed)}.",
        param=param,
    )


def no_project(project: str) -> ApiError:
    """Section 8.9: runtime knows the default project only, VERIFIED (stdapi); status and words ASSUMED."""
    return ApiError(
        400, "invalid_project", f"The project '{project}' is not available here.", param="OpenAI-Project"
    )


def no_previous(response_id: str) -> ApiError:
    """Section 4 "previous_response_id unknown": ASSUMED 404 on mantle too (VERIFIED for runtime, aws-resp).

    Section 1.5: unknown, foreign, deleted and never stored ids are answered alike.
    """
    return ApiError(
        404,
        "previous_response_not_found",
        f"Previous response with id '{response_id}' not found.",
        param="previous_response_id",
    )


def no_response(response_id: str) -> ApiError:
    """Section 1.5: one 404 for every id that is not kept. VERIFIED for the status, the body ASSUMED."""
    return ApiError(404, "not_found_error", f"Response with id '{response_id}' not found.")


def not_persisted(item_id: str) -> ApiError:
    """Section 4 "Stateless replay of unstored id": VERIFIED on api.openai.com, ASSUMED here."""
    return ApiError(
        404,
        "not_found_error",
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false."
        " Try again with `store` set to true, or remove this item from your input.",
        param="input",
    )


def bad_encrypted(item_id: str) -> ApiError:
    """Section 8.5: an altered or foreign blob. The code VERIFIED (bifrost#6041), the text ASSUMED."""
    return ApiError(
        400,
        "invalid_encrypted_content",
        f"The encrypted content for item {item_id} could not be verified."
        " Reason: Encrypted content could not be decrypted or parsed.",
    )


def no_route(method: str, path: str) -> ApiError:
    """A path that does not exist: 404 VERIFIED for `/models` and `input_items` (sections 1.1, 2)."""
    return ApiError(404, "not_found_error", f"Unknown request URL: {method} {path}.")
