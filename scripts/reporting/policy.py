"""What a page may do: run its own script, and nothing that came in from elsewhere."""

import hashlib
from base64 import b64encode


def digest(script: str) -> str:
    """The hash by which a page's policy admits this one script."""
    return "sha256-" + b64encode(hashlib.sha256(script.encode()).digest()).decode()
