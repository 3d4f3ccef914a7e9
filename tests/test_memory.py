"""What a mail of the largest size took is given back."""

import subprocess
import sys

TRY = """
from mailrouter import memory
{call}
def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def one():  # as a mail is: put together, changed, kept beside small things
    blocks = [b"x" * (25 << 20)]
    small = [bytes(1000) for _ in range(1000)]
    blocks.append(blocks[0].replace(b"y", b"z") + b".")
    return small
before = held()
kept = [one() for _ in range(4)]
print(held() - before)
"""


def test_large_blocks_are_given_back() -> None:
    code = TRY.format(call="memory.give_back_large_blocks()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < 10 << 20
