"""Settings -> House: the only place that chooses adapters."""

from server.wiring.build import Built, build, connection
from server.wiring.start import CannotStart, listen, serve_metrics

__all__ = ["Built", "CannotStart", "build", "connection", "listen", "serve_metrics"]
