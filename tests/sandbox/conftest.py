from tests.support.partners import (
    city,
    directory,
    fault,
    keyed_directory,
    merchant,
    receiver,
    running,
    sdk,
)

__all__ = ["city", "directory", "fault", "keyed_directory", "merchant", "receiver", "running", "sdk"]
