"""Issuing on the registry side, keeping copies on the platform side."""

from server.certificates.service.copies import change_status, keep_copy
from server.certificates.service.download import open_copy
from server.certificates.service.issue import issue
from server.certificates.service.papers import PaperNews, record_paper

__all__ = ["PaperNews", "change_status", "issue", "keep_copy", "open_copy", "record_paper"]
