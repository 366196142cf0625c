"""HTTP outward: a client that never holds a transaction, and the signature our own partners use."""

from kit.http.client import HttpClient

__all__ = ["HttpClient"]
