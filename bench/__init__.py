"""Side-by-side measurements: ours against the least that any correct implementation must do."""
