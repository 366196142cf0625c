import tomllib
from pathlib import Path

import pytest

from sandbox.run import toml


def test_what_is_written_reads_back():
    settings = {
        "mode": "embedded",
        "test_mode": False,
        "left_out": None,
        "http": {"port": 8000, "host": "127.0.0.1", "none": None},
        "wechat": {"templates": {"fee_due": 'a"b\\c', "case accepted": "编号"}, "secret": Path("/tmp/密")},  # noqa: S108
        "seal": {"fonts": ["/a", "/b"]},
    }
    read = tomllib.loads(toml.dumps(settings))
    assert read == {
        "mode": "embedded",
        "test_mode": False,
        "http": {"port": 8000, "host": "127.0.0.1"},
        "wechat": {"templates": {"fee_due": 'a"b\\c', "case accepted": "编号"}, "secret": "/tmp/密"},  # noqa: S108
        "seal": {"fonts": ["/a", "/b"]},
    }


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError):
        toml.dumps({"when": object()})
