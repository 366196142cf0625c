"""The platform's end of the road to the registry: what is sent up, what comes down, and the live register query."""
