"""Telling people: a message of their own in the inbox, and the same by every channel that reaches them."""
