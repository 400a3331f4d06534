"""Prints the memory bandwidth of one thread in GB/s: the median of five copies of 256 MiB, which
read and write every byte. A process of its own, since a process started by a large one is reported
to be as large."""

import statistics
import time

SIZE = 1 << 28
source, target = bytes(SIZE), bytearray(SIZE)
rates = []
for _ in range(5):
    begin = time.monotonic()
    target[:] = source
    rates.append(2 * SIZE / (time.monotonic() - begin) / 1e9)
print(f"{statistics.median(rates):.1f}")
