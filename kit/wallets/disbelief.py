"""Requests of ours that a wallet takes for forged or stale.

They will pass: people mend keys and clocks, and money that nobody asks about any more would lie hidden. Because nothing
stops meanwhile, it is said out loud each time.
"""

from prometheus_client import Counter

from kit.log import get_logger

_REFUSED = Counter("wallet_disbelief_total", "Requests that a wallet took for forged or stale", ["system"])
log = get_logger("wallets")


def tell(system: str, code: str) -> None:
    """Say that a wallet refused our signature, or our time, and with which code."""
    _REFUSED.labels(system).inc()
    log.error("wallet_disbelieves_us", system=system, error_code=code)
