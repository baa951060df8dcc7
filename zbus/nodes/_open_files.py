"""How many files and connections a process may have open."""

from __future__ import annotations

OPEN_FILES = 65_536


def allow_many_files() -> int:
    """Raise this process's limit towards OPEN_FILES, as far as the system lets it; returns the limit.

    Why: at the limit libzmq tries again and again to take in the next connection, which costs a whole core,
    and nobody new can join. Many systems begin at 1024, and a crowd of half-open connections reaches that.
    0 where the system knows no such limit.
    """
    try:
        import resource
    except ImportError:
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = OPEN_FILES if hard == unlimited else min(OPEN_FILES, hard)
    if soft != unlimited and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
