"""How many different things one may have within a time, counted exactly however many ask at once."""
