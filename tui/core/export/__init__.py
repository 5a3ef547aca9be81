"""An exchange as something that can be run, read or kept elsewhere: curl, Python, HTTPie, HTTP, JSON, HAR.

No export holds a token: it is read from `AWS_BEARER_TOKEN_BEDROCK` in the way of the language. What was
signed is signed again, with the keys that AWS's tools find.
"""

from __future__ import annotations

from tui.core.export.forms import FORMS, Form, export, export_har
from tui.core.export.request import Export, SideFile, Unsupported

__all__ = ["FORMS", "Export", "Form", "SideFile", "Unsupported", "export", "export_har"]
