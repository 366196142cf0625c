"""What arrives from outside: verified on its raw bytes, kept once, acknowledged, then worked on by the worker."""

from kit.inbox.service import open_body, receive

__all__ = ["open_body", "receive"]
