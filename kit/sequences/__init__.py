"""Numbers that people read out: counted up per kind, district and period."""
