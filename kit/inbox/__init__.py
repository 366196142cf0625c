"""What arrives from outside: verified on its raw bytes, kept once, acknowledged, then worked on by the worker."""

from kit.inbox.gathering import Inbox
from kit.inbox.service import open_body

__all__ = ["Inbox", "open_body"]
