"""Wallets as payments sees them: the real one and the fake one are equals."""
