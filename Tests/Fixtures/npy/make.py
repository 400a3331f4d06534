"""Writes the npy files of this folder with numpy; the tests hold the reader and the writer to them.

usage: python3 make.py      (needs numpy; run after changing something here, then commit the files)
"""
import os

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
# Every value is exact in half precision; 2**-24 is its smallest subnormal number.
matrix = np.array(
    [[0.0, 1.0, -2.5, 65504.0], [0.5, -0.0, 2.0**-24, 3.0], [-1024.0, 0.25, 7.0, -6.103515625e-05]]
)


def path(name):
    return os.path.join(here, name + ".npy")


def write(name, array, version=None):
    with open(path(name), "wb") as file:
        np.lib.format.write_array(file, array, version=version)


for kind in ["f2", "f4", "f8"]:
    write(kind + "_c", matrix.astype("<" + kind))
    write(kind + "_fortran", np.asfortranarray(matrix.astype("<" + kind)))
    write(kind + "_big_endian", matrix.astype(">" + kind))
write("f4_version2", matrix.astype("<f4"), version=(2, 0))
write("f4_version3", matrix.astype("<f4"), version=(3, 0))
write("f8_big_endian_fortran", np.asfortranarray(matrix.astype(">f8")))
write("integers", matrix.astype("<i4"))
write("one_dimension", matrix[0].astype("<f4"))
write("three_dimensions", matrix.astype("<f4").reshape(3, 2, 2))
write("no_rows", np.zeros((0, 4), dtype="<f4"))
write("records", np.array([(1, 2.0)], dtype=[("id", "<i4"), ("value", "<f4")]))
objects = np.empty(2, dtype=object)
objects[:] = [[1.0, 2.0], [3.0]]
np.save(path("objects"), objects, allow_pickle=True)
