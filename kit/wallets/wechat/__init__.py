"""WeChat as a protocol: the server API's token and transport, how a phone's data is sealed, and pay v3."""
