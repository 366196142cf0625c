"""The outside world on loopback: WeChat, WeChat Pay, Alipay and the tax bureau. It imports nothing of the product."""
