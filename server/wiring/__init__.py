"""Settings -> House: the only place that chooses adapters."""

from server.wiring.build import Built, audit_key_file, build, connection

__all__ = ["Built", "audit_key_file", "build", "connection"]
