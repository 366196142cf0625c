"""Keys, and what is sealed with them: columns, blobs, blind indexes and keyed digests."""
