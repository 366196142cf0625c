"""Alipay as a protocol: signed requests, answers verified on their raw text, notices, encrypted content."""
