from datetime import UTC, datetime

NOON = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
"""Noon in Shanghai on the day of the scenarios."""
