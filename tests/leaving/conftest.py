"""Environments that are made before a test's home is another one, so that they are made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.own_environment import python_with


@pytest.fixture(scope="session")
def strands_python() -> Path:
    """Strands wants an older SDK of OpenAI's and an older MCP library than ours."""
    return python_with("strands-agents[openai]>=1.60,<2")
