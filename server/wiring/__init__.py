"""Settings -> House: the only place that chooses adapters."""

from server.wiring.build import Built, audit_key_file, build, connection
from server.wiring.start import CannotStart, listen, serve_metrics

__all__ = ["Built", "CannotStart", "audit_key_file", "build", "connection", "listen", "serve_metrics"]
