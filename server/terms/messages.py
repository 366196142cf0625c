"""What platform and registry tell each other; the same words at both ends of the link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class UpMessage:
    """What the platform tells the registry; `id` is unique, `body` has the shape that its kind has on the wire."""

    id: str
    kind: str
    application_id: str
    sent_at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DownMessage:
    """What the registry tells the platform; `application_id` is empty for a certificate without an application."""

    id: str
    kind: str
    application_id: str
    sent_at: datetime
    body: Mapping[str, Any]
