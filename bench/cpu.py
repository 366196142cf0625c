"""How much CPU time a process has used, from /proc."""

import os
from pathlib import Path

_AFTER_NAME_UTIME, _AFTER_NAME_STIME = 11, 12  # proc(5) counts them 14 and 15; the name before may hold spaces


def ticks(stat: str) -> int:
    """User and system time of all threads of a process, in clock ticks, from the text of /proc/<pid>/stat."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[_AFTER_NAME_UTIME]) + int(fields[_AFTER_NAME_STIME])


def seconds(pid: int) -> float:
    """CPU seconds that the process has used so far; FileNotFoundError when it is gone."""
    return ticks(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")) / os.sysconf("SC_CLK_TCK")
