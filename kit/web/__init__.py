"""HTTP inward: declared access, checked input, problem documents, and OpenAPI from the same declarations."""
