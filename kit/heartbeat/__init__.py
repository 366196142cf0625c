"""The worker's sign of life, which `/readyz` looks for."""
