"""WeChat Pay v3 as a protocol: request signatures, response and notice verification, sealed resources."""
