"""The private MariaDB that tests share with the benches."""

from bench.mariadb import MariaDb, fresh_schema, start

__all__ = ["MariaDb", "fresh_schema", "start"]
