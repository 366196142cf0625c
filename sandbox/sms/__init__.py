"""Text messages: Tencent Cloud SMS as its public API behaves."""
