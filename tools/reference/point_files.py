"""Writes test/fixtures/geometry/{autzen,tetrahedron,...}: small files of points and surfaces, by plain Python.

`python tools/reference/point_files.py lidar_autzen.ply`; the argument is the cloud of 20 000 points that is thinned here.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

OUT = Path(__file__).resolve().parents[2] / "test/fixtures/geometry"
data = Path(sys.argv[1]).read_bytes()
end = data.index(b"end_header\n") + 11
dtype = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1"),
                  ("intensity", "<u2"), ("classification", "u1")])
points = np.frombuffer(data[end:], dtype)[::50]
header = data[:end].replace(b"element vertex 20000", b"element vertex %d" % len(points))
(OUT / "autzen.ply").write_bytes(header + points.tobytes())
totals = {name: float(points[name].astype(np.float64).sum()) for name in dtype.names}
(OUT / "autzen.json").write_text(json.dumps({"count": len(points), "sums": totals}) + "\n")

# The same as PCL writes it: fields one after the other, compressed by a run of literals and one copy.
xyz = b"".join(points[name][:40].tobytes() for name in "xyz")
body = bytearray()
for i in range(0, len(xyz), 32):
    part = xyz[i:i + 32]
    body += bytes([len(part) - 1]) + part
# 120 zero bytes of a field of floats: one zero, then a copy of 119 from one byte before.
body += bytes([0, 0, (7 << 5) | 0, 119 - 2 - 7, 0])
body += bytes([7]) + bytes(8) + bytes([31]) + bytes(32)
fields = xyz + bytes(160)
pcd = ("# .PCD v.7\nVERSION .7\nFIELDS x y z i\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\nWIDTH 40\nHEIGHT 1\n"
       "VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 40\nDATA binary_compressed\n").encode()
assert 1 + 119 + 8 + 32 == 160
(OUT / "compressed.pcd").write_bytes(pcd + struct.pack("<II", len(body), len(fields)) + body)
print(len(points), totals)
