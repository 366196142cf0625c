"""Who did what: rows written with the deed itself, then chained by hash so that a change shows."""
