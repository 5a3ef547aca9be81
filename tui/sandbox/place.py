"""Where a request goes: which of the two endpoints, in which region; and how the endpoints differ.

Base URLs (bedrock-facts.md section 1.1), each below `http://127.0.0.1:PORT` and, for another region than the
server's own, below `http://127.0.0.1:PORT/REGION`:

    /openai/v1            mantle, the GPT family: /responses, /chat/completions
    /v1                   mantle, gpt-oss: /responses, /chat/completions; GET /v1/models
    /runtime/openai/v1    runtime: /responses (profiles), /chat/completions (gpt-oss, profiles)
    /runtime              runtime's own: /model/ID/converse, /model/ID/converse-stream, /model/ID/invoke;
                          boto3's `endpoint_url` for bedrock-runtime; ID percent-encoded
    /bedrock              the control plane: /model-invocation-job …; boto3's `endpoint_url` for bedrock

The words `runtime` and `bedrock` in front are the sandbox's own. As an example, with another region:
`http://127.0.0.1:8808/us-east-1/runtime/model/openai.gpt-oss-20b-1%3A0/converse`.

A request carries `Authorization: Bearer sandbox` (or a short-term key of the region), or a SigV4 signature
with the access key `sandbox` and the secret key `sandbox` (`tui.sandbox.sigv4`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

EndpointName = Literal["mantle", "runtime", "control"]

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_PROJECT = re.compile(r"default|proj_[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """One endpoint in one region.

    Attributes:
        endpoint: `mantle`, `runtime`, or `control` for AWS's control plane.
        region: as in `us-west-2`.
    """

    endpoint: EndpointName
    region: str

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.region}"

    @property
    def is_runtime(self) -> bool:
        """Whether the rules of AWS's own endpoints hold, not mantle's."""
        return self.endpoint != "mantle"

    @property
    def takes_background(self) -> bool:
        """Section 4 "background on runtime": refused, VERIFIED (aws-resp)."""
        return not self.is_runtime

    @property
    def inherits_model(self) -> bool:
        """Section 8.2, VERIFIED (aws-resp, oai-bed): on mantle alone a chain may leave `model` out."""
        return not self.is_runtime

    @property
    def geography(self) -> str:
        """What an inference profile of this region begins with (section 1.1): `us`, `us-gov` …; ASSUMED."""
        return "us-gov" if self.region.startswith("us-gov-") else self.region.partition("-")[0]

    def takes_project(self, project: str) -> bool:
        """Section 8.9, VERIFIED (stdapi, aws-resp): `default` or `proj_…`; runtime knows the default only."""
        return project == "default" if self.is_runtime else bool(_PROJECT.fullmatch(project))


def is_region(name: str) -> bool:
    """Whether a path segment looks like the name of a region."""
    return bool(_REGION.fullmatch(name))
