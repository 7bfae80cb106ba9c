"""Writes test/fixtures/video with PyAV (pip install av numpy).

Most clips carry their frame numbers as pictures: 8 blocks in the upper half, the bits of the number from left to right,
white for 1. So a test can tell which frame it got without comparing with anything that this package made.
"""
import json
import pathlib
from fractions import Fraction

import av
import numpy as np

HERE = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/video"
WIDTH, HEIGHT = 128, 64


def numbered(index):
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for bit in range(8):
        picture[: HEIGHT // 2, 16 * bit : 16 * (bit + 1)] = 235 if index >> (7 - bit) & 1 else 16
    # Something that moves, so that frames depend on one another.
    left = 3 * index % (WIDTH - 16)
    picture[HEIGHT // 2 + 8 : HEIGHT - 8, left : left + 16] = (200, 60, 30)
    return picture


def write(name, frames, codec="libx264", options=None, rate=25, ticks=None, time_base=None, format=None, container_options=None):
    with av.open(str(HERE / name), "w", format=format, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if time_base:
            stream.codec_context.time_base = time_base
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24")
            frame.pts = ticks[index] if ticks else index
            frame.time_base = time_base or Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def flat(name, luma, blue, red, colorspace, color_range):
    """One colour, lossless: what it decodes to follows from the matrix alone."""
    with av.open(str(HERE / name), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = colorspace, color_range
        frame = av.VideoFrame(32, 16, "yuv420p")
        for plane, value in zip(frame.planes, (luma, blue, red)):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.colorspace, frame.color_range = colorspace, color_range
        for index in range(2):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def patches():
    """Patches of frames of the photographed clip, as PyAV's own FFmpeg converts them."""
    places = [(100, 200), (200, 360), (8, 8)]
    answer = {"size": 32, "places": places, "frames": {}}
    with av.open(str(HERE / "hand-bottle.mp4")) as container:
        times = []
        for index, frame in enumerate(container.decode(video=0)):
            times.append(float(frame.pts * frame.time_base))
            if index in (0, 40, 88):
                rgb = frame.to_ndarray(format="rgb24")
                cut = [rgb[y : y + 32, x : x + 32] for y, x in places]
                answer["frames"][index] = [patch.reshape(-1).tolist() for patch in cut]
    answer["timesS"] = times
    (HERE / "hand-bottle.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    long_gop = {"x264-params": "keyint=250:bframes=3:b-adapt=0:scenecut=0", "preset": "medium", "crf": "23"}
    write("b-frames.mp4", 60, options=long_gop)
    write("open-gop.mkv", 60, options={"x264-params": "keyint=12:min-keyint=12:open-gop=1:bframes=3:b-adapt=0:scenecut=0", "crf": "23"})
    # Steps of 1 to 4 hundredths of a second: 0, 1, 3, 6, 10, 11, 13, 16, 20, ...
    steps = np.cumsum([0] + [1 + index % 4 for index in range(39)]).tolist()
    write("variable-rate.mkv", 40, options=long_gop, ticks=[10 * step for step in steps], time_base=Fraction(1, 1000))
    # A clock that is at -0.2 s when the stream begins. MP4 says so with an edit list, which hides the first 5 frames.
    early = [index - 5 for index in range(20)]
    write("edit-list.mp4", 20, options={"bf": "0"}, ticks=early, container_options={"avoid_negative_ts": "disabled"})
    # Its clock is at 10 s when it begins, as in a part of a broadcast.
    write("transport.mpegts", 30, "mpeg2video", {"bf": "2", "g": "10"}, format="mpegts", ticks=[index + 250 for index in range(30)])
    for name, colorspace in (("bt709", 1), ("bt601", 6)):
        for kind, color_range in (("limited", 1), ("full", 2)):
            flat(f"flat-{name}-{kind}.mkv", 120, 90, 160, colorspace, color_range)
    patches()
