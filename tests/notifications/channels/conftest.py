from tests.support.partners import city, directory, fault, keyed_directory, running

__all__ = ["city", "directory", "fault", "keyed_directory", "running"]
