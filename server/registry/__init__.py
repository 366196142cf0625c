"""The registry's desk and its register (登记簿); lives on the registry side alone."""
