"""What phones, taxpayers and tests do to the outside world: everything under /_control."""
