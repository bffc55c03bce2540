"""Pixels with alpha, laid over white by Pillow: the constants of tests/unit/test_image.c.

Pillow's alpha_composite works on stored values and ignores gAMA, as image_png.c does.
"""

import random
import sys

from PIL import Image, ImageOps

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


# ---- tests/pictures: JPEG and PNG files, and what Pillow makes of them: `python tests/oracle/images.py tests/pictures` ----

def drawn(mode, width, height):
    """Smooth colours, so that the files stay small."""
    image = Image.new("RGB", (width, height))
    image.putdata([(255 * x // (width - 1), 255 * y // (height - 1), 255 * (x + y) // (width + height - 2))
                   for y in range(height) for x in range(width)])
    return image.convert(mode)


def keep(folder, name, image, kind="jpg", **options):
    image.save(f"{folder}/{name}.{kind}", **options)
    seen = ImageOps.exif_transpose(Image.open(f"{folder}/{name}.{kind}"))
    seen.convert("L" if seen.mode == "L" else "RGB").save(f"{folder}/{name}.ppm")


def main(folder):
    keep(folder, "colour", drawn("RGB", 21, 18), quality=75)
    keep(folder, "fine", drawn("RGB", 21, 18), quality=95, subsampling=0, progressive=True)
    keep(folder, "grey", drawn("L", 9, 17), quality=80)
    keep(folder, "cmyk", drawn("RGB", 16, 16).convert("CMYK"), quality=90)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        keep(folder, f"turned{orientation}", drawn("L", 5, 3), quality=90, exif=exif)
        keep(folder, f"exif{orientation}", drawn("RGB", 5, 3), "png", exif=exif)

    numbers = random.Random(1)
    noise = Image.new("RGB", (37, 23))
    noise.putdata([tuple(numbers.randrange(256) for _ in range(3)) for _ in range(37 * 23)])
    noise.save(f"{folder}/noise.ppm")
    for name, width, height in (("small", 9, 7), ("large", 50, 31), ("narrow", 12, 23), ("short", 16, 10)):
        noise.resize((width, height), Image.BILINEAR).save(f"{folder}/noise_{name}.ppm")
    noise.crop((10, 6, 26, 16)).save(f"{folder}/noise_crop.ppm")  # torchvision: round(10.5), round(6.5) are 10 and 6

    # Masks: classes with a palette, and what Pillow's NEAREST makes of them.
    mask = Image.new("P", (37, 23))
    mask.putpalette([(7 * i) % 256 for i in range(768)])
    mask.putdata([255 if numbers.randrange(9) == 0 else numbers.randrange(21) for _ in range(37 * 23)])
    mask.save(f"{folder}/mask.png")
    for name, width, height in (("same", 37, 23), ("small", 9, 7), ("large", 50, 31)):
        kept = mask.resize((width, height), Image.NEAREST)
        Image.frombytes("L", kept.size, kept.tobytes()).save(f"{folder}/mask_{name}.pgm")
    few = Image.new("P", (5, 3))
    few.putpalette([i % 256 for i in range(12)])
    few.putdata([i * i % 4 for i in range(15)])
    few.save(f"{folder}/mask_few.png", bits=2)
    noise.convert("L").save(f"{folder}/noise_grey.ppm")


if len(sys.argv) > 1:
    main(sys.argv[1])
