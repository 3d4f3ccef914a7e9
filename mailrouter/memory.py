"""What a process holds of memory it no longer needs: as little as the C library can be told to.

Promises nothing where there is no glibc. A mail of 25 MiB is a few blocks of its size for a moment; after the first of
them glibc would keep blocks of that size for the next (mallopt(3), M_MMAP_THRESHOLD), in every process for good.
"""

import ctypes

_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BYTES = 1 << 20


def give_back_large_blocks() -> None:
    """Blocks beyond 1 MiB are the system's again as soon as they are free. To be said once, early."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
