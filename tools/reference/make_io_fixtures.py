"""Writes the image and flow files of test/io/fixtures with Pillow, OpenCV and NumPy.

They come from other programs than the package, so that a reader and a writer with the same mistake are found out.
The values are repeated in test/io/*.test.ts. Run: python tools/reference/make_io_fixtures.py
(needs pillow, numpy, opencv-python-headless)
"""

import struct
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "test/io/fixtures"
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def half_and_half(left, right, width=32, height=16, mode="RGB"):
    image = Image.new(mode, (width, height), left)
    image.paste(right, (width // 2, 0, width, height))
    return image


def bgr(rgb):
    """OpenCV writes channels in the order blue, green, red (, alpha)."""
    order = [2, 1, 0] if rgb.shape[2] == 3 else [2, 1, 0, 3]
    return np.ascontiguousarray(rgb[:, :, order])


def images():
    # Stored with red on the left; orientation 6 says that the camera was turned: upright, red is on top.
    exif = Image.Exif()
    exif[0x0112] = 6
    half_and_half(RED, BLUE).save(FOLDER / "exif-6.jpg", quality=95, subsampling=0, exif=exif)

    palette = Image.new("P", (3, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50, 0, 255, 0])
    for x in range(3):
        palette.putpixel((x, 0), x)
    palette.save(FOLDER / "palette.png", transparency=bytes([255, 128, 0]))

    grey_alpha = Image.new("LA", (2, 1))
    grey_alpha.putpixel((0, 0), (40, 255))
    grey_alpha.putpixel((1, 0), (200, 7))
    grey_alpha.save(FOLDER / "grey-alpha.png")

    bilevel = Image.new("1", (3, 1))
    bilevel.putpixel((1, 0), 1)
    bilevel.save(FOLDER / "bilevel.png")

    # White, black and full cyan.
    cmyk = Image.new("CMYK", (48, 16), (0, 0, 0, 0))
    cmyk.paste((0, 0, 0, 255), (16, 0, 32, 16))
    cmyk.paste((255, 0, 0, 0), (32, 0, 48, 16))
    cmyk.save(FOLDER / "cmyk.jpg", quality=95)

    frames = [Image.new("RGB", (4, 2), colour) for colour in (RED, BLUE)]
    frames[0].save(FOLDER / "animated.gif", save_all=True, append_images=frames[1:], duration=100)
    frames[0].save(FOLDER / "animated.webp", save_all=True, append_images=frames[1:], duration=100, lossless=True)

    deep = np.array([[[0, 1, 2], [257, 32768, 65535]], [[128, 129, 385], [386, 1000, 54321]]], np.uint16)
    cv2.imwrite(str(FOLDER / "rgb16.png"), bgr(deep))
    cv2.imwrite(str(FOLDER / "rgb16.tiff"), bgr(deep))
    cv2.imwrite(str(FOLDER / "grey16.png"), np.array([[0, 1, 40000, 65535]], np.uint16))
    cv2.imwrite(str(FOLDER / "rgba16.png"), bgr(np.array([[[1, 2, 3, 65535], [60000, 300, 7, 1000]]], np.uint16)))
    cv2.imwrite(str(FOLDER / "float.tiff"), np.array([[0.0, 0.5], [1.0, 2.0]], np.float32))


def flows():
    # 3 × 2 pixels; the last two are unknown, one by a large number and one by NaN.
    u = [1.5, -2.25, 0.0, 100.0, 1e10, float("nan")]
    v = [0.5, 4.0, -0.125, -3.0, 1e10, 1.0]
    pairs = [value for pair in zip(u, v) for value in pair]
    (FOLDER / "small.flo").write_bytes(struct.pack("<f2i12f", 202021.25, 3, 2, *pairs))

    kitti = np.zeros((2, 2, 3), np.uint16)
    kitti[0, 0] = [int(1.5 * 64 + 2**15), int(-2.25 * 64 + 2**15), 1]
    kitti[0, 1] = [0, 65535, 1]
    kitti[1, 0] = [2**15 + 1, 2**15 - 1, 1]
    kitti[1, 1] = [40000, 40000, 0]
    cv2.imwrite(str(FOLDER / "kitti.png"), bgr(kitti))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    images()
    flows()
