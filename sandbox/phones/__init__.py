"""The other side of the screen: residents' phones with the mini-program, the officer's desk, a passing camera."""
