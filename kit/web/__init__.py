"""HTTP inward: declared access, checked input, problem documents, and an OpenAPI document from the same declarations."""
