"""The keys of an AWS profile, as botocore's own chain finds them: files, SSO, roles, a process, a container.

Only what signs imports botocore, and only when a profile is asked for; it comes with the extra `aws`.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from tui.core.aws import ENVIRONMENT, AwsKeys
from tui.core.errors import OutcropError, TokenMissing, TokenUnusable
from tui.core.text import visible_line
from tui.wire.error_chains import bare

__all__ = ["INSTALL", "find_keys"]

INSTALL: Final = "pip install 'outcrop[aws]'"
"""What makes signing possible where botocore is missing."""


def find_keys(profile: str) -> AwsKeys:
    """Ask botocore for the keys of a profile, from the beginning; blocks, for seconds maybe.

    Args:
        profile: Its name; `environment` takes what AWS's tools take when none is named.

    Raises:
        TokenMissing: There is no such profile, it has no credentials, or botocore is not installed.
        TokenUnusable: Its session is over, or what gives its credentials failed; the sentence says more.
    """
    try:
        sessions: Any = importlib.import_module("botocore.session")
    except ImportError:
        raise TokenMissing(
            f"Signing with an AWS profile needs botocore, which is not installed: {INSTALL}."
        ) from None
    with bare(), _sentences(profile):
        # A new session each time: one keeps the credentials that it has found.
        session: Any = sessions.Session(profile=None if profile == ENVIRONMENT else profile)
        found: Any = session.get_credentials()
        if found is None:
            raise TokenMissing(_none(profile))
        frozen: Any = found.get_frozen_credentials()
        return AwsKeys(
            str(frozen.access_key),
            str(frozen.secret_key),
            str(frozen.token) if frozen.token else None,
            _expiry(found),
            str(found.method or ""),
        )


def _expiry(found: Any) -> float | None:
    """When credentials that are renewed end; AWS's CLI reads the same member for `export-credentials`."""
    until = getattr(found, "_expiry_time", None)
    return until.timestamp() if isinstance(until, datetime) else None


def _none(profile: str) -> str:
    if profile == ENVIRONMENT:
        return (
            "There are no AWS credentials in the environment: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        )
    return (
        f"The AWS profile {visible_line(profile)} has no credentials: run `aws configure --profile "
        f"{visible_line(profile)}`, or choose another."
    )


@contextmanager
def _sentences(profile: str) -> Generator[None]:
    """Turn what botocore raises into sentences; what programs and services said may hold secrets."""
    errors: Any = importlib.import_module("botocore.exceptions")
    name = visible_line(profile)
    of_environment = profile == ENVIRONMENT
    which = "the AWS profile of the environment" if of_environment else f"the AWS profile {name}"
    login = "aws sso login" + ("" if of_environment else f" --profile {name}")
    try:
        yield
    except OutcropError:
        raise
    except errors.ProfileNotFound:
        raise TokenMissing(
            "There is no AWS profile of the name in AWS_PROFILE: `aws configure list-profiles` lists them."
            if of_environment
            else f"There is no AWS profile {name}: `aws configure list-profiles` lists them."
        ) from None
    except (errors.SSOError, errors.TokenRetrievalError, errors.NoAuthTokenError):
        raise TokenUnusable(f"The SSO session of {which} has expired: run `{login}`.") from None
    except (errors.LoginError, errors.LoginRefreshRequired):
        raise TokenUnusable(f"The sign-in of {which} has ended: run `aws login`.") from None
    except errors.CredentialRetrievalError as error:
        raise TokenUnusable(_not_retrieved(which, str(error.kwargs.get("provider", "")))) from None
    except errors.PartialCredentialsError as error:
        missing = visible_line(str(error.kwargs.get("cred_var", "a setting")))
        raise TokenUnusable(
            f"T{which[1:]} has only a part of its credentials: {missing} is missing."
        ) from None
    except (errors.InvalidConfigError, errors.InfiniteLoopConfigError, errors.ConfigParseError):
        raise TokenUnusable(
            f"T{which[1:]} is configured in a way that AWS's tools do not take; `aws sts "
            f"get-caller-identity` with it says more."
        ) from None
    except errors.ClientError as error:
        code = visible_line(str(error.response.get("Error", {}).get("Code", "")))
        raise TokenUnusable(
            f"AWS gives no credentials for {which}: {code or 'it refused'} "
            f"({visible_line(error.operation_name)})."
        ) from None
    except errors.BotoCoreError as error:
        raise TokenUnusable(
            f"The credentials of {which} could not be had ({type(error).__name__}); `aws sts "
            "get-caller-identity` with it says more."
        ) from None


def _not_retrieved(which: str, provider: str) -> str:
    if provider == "custom-process":
        return (
            f"The program that gives the credentials of {which} (credential_process) failed, "
            "or what it printed is no credentials: run it to see."
        )
    return f"The credentials of {which} could not be had (by {visible_line(provider)})."
