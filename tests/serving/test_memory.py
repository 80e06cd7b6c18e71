"""What the server does to keep its memory small."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from neumo_serving.engine import memory

pytestmark = pytest.mark.slow

HEAPS = """
import ctypes, sys, threading
from neumo_serving.engine import memory

def take():
    taken = bytearray(100_000)
    everyone_has.wait()
    counted.wait()

memory.prepare()
threads = 2 * memory.HEAPS
everyone_has, counted = threading.Barrier(threads + 1), threading.Event()
for _ in range(threads):
    threading.Thread(target=take).start()
everyone_has.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
report = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, report)
libc.fclose(report)
counted.set()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc has other heaps")
def test_threads_share_a_few_heaps(tmp_path):
    """One for each thread would each keep what the largest request took; of one all would wait."""
    report = tmp_path / "heaps.xml"
    subprocess.run([sys.executable, "-c", HEAPS, report], check=True)
    assert report.read_text().count("<heap ") == memory.HEAPS
