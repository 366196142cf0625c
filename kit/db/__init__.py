"""The database: one connection name, short transactions, SQL text where speed asks for it."""

from kit.db.sql import dialect, execute, fetch, fetch_one
from kit.db.transaction import after_commit, in_transaction, transaction, transactional
from kit.db.upsert import upsert

__all__ = [
    "after_commit",
    "dialect",
    "execute",
    "fetch",
    "fetch_one",
    "in_transaction",
    "transaction",
    "transactional",
    "upsert",
]
