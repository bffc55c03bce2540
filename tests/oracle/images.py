"""Pixels with alpha, laid over white by Pillow: the constants of tests/unit/test_image.c.

Pillow's alpha_composite works on stored values and ignores gAMA, as image_png.c does.
"""

from PIL import Image

LA = [(0, 0), (0, 255), (0, 128), (200, 0), (90, 17), (255, 200)]
RGBA = [(255, 0, 0, 255), (0, 0, 0, 0), (10, 200, 30, 128), (0, 0, 255, 64), (12, 34, 56, 200), (255, 255, 255, 9)]


def over_white(mode, pixels, result):
    image = Image.new(mode, (3, 2))
    image.putdata(pixels)
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return [list(band) for band in (channel.tobytes() for channel in white.convert(result).split())]


print(over_white("LA", LA, "L"))
print(over_white("RGBA", RGBA, "RGB"))
