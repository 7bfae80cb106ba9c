"""Writes test/fixtures/audio with NumPy and PyAV (pip install av numpy).

The reference of resampling is torchaudio's formula (functional.resample, sinc_interp_kaiser, with the parameters that its
documentation calls kaiser_best) summed directly in float64: every output sample is the inner product of the signal with a
windowed sinc.
"""
import math
import pathlib

import av
import numpy as np

HERE = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/audio"
ZERO_CROSSINGS, ROLLOFF, BETA = 64, 0.9475937167399596, 14.769656459379492


def resample(x, source, target):
    divisor = math.gcd(source, target)
    down, up = source // divisor, target // divisor
    base = min(down, up) * ROLLOFF
    reach = math.ceil(ZERO_CROSSINGS * down / base)
    count = -(-len(x) * up // down)
    padded = np.concatenate([np.zeros(reach), x, np.zeros(reach + 2 * down)])
    places = np.arange(-reach, reach + 1)
    out = np.zeros(count)
    for index in range(count):
        middle, phase = divmod(index * down, up)
        time = (places - phase / up) * base / down
        inside = np.abs(time) < ZERO_CROSSINGS
        window = np.i0(BETA * np.sqrt(np.where(inside, 1 - (time / ZERO_CROSSINGS) ** 2, 0))) / np.i0(BETA)
        kernel = np.where(inside, np.sinc(time) * window * base / down, 0)
        out[index] = padded[middle : middle + 2 * reach + 1] @ kernel
    return out


def sweep(rate, last, seconds):
    """A sine whose frequency rises evenly from 50 Hz, faded in and out over a tenth of its length."""
    time = np.arange(int(rate * seconds)) / rate
    fade = np.clip(np.minimum(time, seconds - time) / (seconds / 10), 0, 1)
    return 0.8 * fade * np.sin(2 * np.pi * (50 * time + (last - 50) * time**2 / (2 * seconds)))


def trumpet():
    with av.open(str(HERE / "trumpet.wav")) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    return samples[22050:28665].astype(np.float64) / 32768


def store(name, values):
    values.astype("<f4").tofile(HERE / f"{name}.f32")


if __name__ == "__main__":
    solo = trumpet()
    store("trumpet-22050-16000", resample(solo, 22050, 16000))
    # The same music at the rates of a CD and of a camera.
    for rate, target in ((44100, 16000), (48000, 22050)):
        higher = resample(solo, 22050, rate).astype(np.float32).astype(np.float64)[: rate // 8]
        store(f"trumpet-{rate}", higher)
        store(f"trumpet-{rate}-{target}", resample(higher, rate, target))
    for rate, target in ((44100, 16000), (48000, 22050), (22050, 16000), (16000, 44100)):
        # Past the lower Nyquist frequency, so that what must be stopped is there too.
        signal = sweep(rate, 0.49 * rate, 0.25).astype(np.float32).astype(np.float64)
        store(f"sweep-{rate}", signal)
        store(f"sweep-{rate}-{target}", resample(signal, rate, target))
