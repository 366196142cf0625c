"""Issuing on the registry side, keeping copies on the platform side."""

from server.certificates.service.copies import change_status, keep_copy
from server.certificates.service.download import open_copy
from server.certificates.service.issue import issue

__all__ = ["change_status", "issue", "keep_copy", "open_copy"]
