"""Daily bills of the wallets, read from their files: what money depends on is there and adds up, or it is an error."""
