"""Files: encrypted as they stream in, kept under the digest of what was in them."""
