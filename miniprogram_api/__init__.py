"""HTTP for citizens: one file per noun, each its schemas and its endpoints."""
