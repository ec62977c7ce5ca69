"""Create the photographs: painted pictures of poles, cabinets and closures, as JPEG with a date and a position."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (640, 480)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"


def take_photo(path: Path, subject: str, code: str, when: datetime, position: tuple[float, float]) -> None:
    """Paint `subject` (pole, cabinet or closure) with its number plate. Position: longitude, latitude (degrees)."""
    rng = random.Random(code)
    picture = _landscape(rng)
    {"pole": _pole, "cabinet": _cabinet, "closure": _closure}[subject](ImageDraw.Draw(picture), rng)
    picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    _plate(ImageDraw.Draw(picture), subject, code)
    picture = _grain(picture, rng)
    picture.save(path, "JPEG", quality=62, optimize=True, exif=_exif(when, position))


def _landscape(rng: random.Random) -> Image.Image:
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    horizon, haze = rng.randint(270, 310), rng.randint(-12, 12)
    for y in range(SIZE[1]):
        share = y / horizon
        sky = (int(120 + 90 * share) + haze, int(165 + 55 * share), int(212 + 20 * share))
        grass = (int(118 - 40 * (share - 1)), int(146 - 60 * (share - 1)), int(84 - 40 * (share - 1)))
        draw.line([(0, y), (SIZE[0], y)], fill=sky if y < horizon else grass)
    for _ in range(26):
        x, width, height = rng.randint(-40, 680), rng.randint(30, 90), rng.randint(18, 60)
        shade = rng.randint(-14, 14)
        draw.ellipse((x, horizon - height, x + width, horizon + 12), fill=(92 + shade, 122 + shade, 82 + shade))
    draw.polygon([(60, 480), (300, horizon + 4), (330, horizon + 4), (330, 480)], fill=(150, 146, 138))
    return picture


def _pole(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    lean, wood = rng.randint(-8, 8), rng.choice([(112, 86, 62), (126, 98, 72), (142, 142, 144)])
    draw.polygon([(396, 460), (424, 460), (416 + lean, 20), (402 + lean, 20)], fill=wood)
    draw.polygon([(414, 460), (424, 460), (416 + lean, 20), (411 + lean, 20)], fill=tuple(c - 26 for c in wood))
    draw.rectangle((350 + lean, 62, 470 + lean, 74), fill=tuple(c - 18 for c in wood))
    for x in (358, 400, 448):
        draw.rectangle((x + lean, 48, x + 12 + lean, 64), fill=(206, 206, 200))
        draw.line([(x + 6 + lean, 50), (-20, 20 + (x - 350) // 3)], fill=(40, 40, 44), width=3)
        draw.line([(x + 6 + lean, 50), (660, 120 + (x - 350) // 4)], fill=(40, 40, 44), width=3)


def _cabinet(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    grey = rng.randint(150, 176)
    draw.polygon([(170, 420), (500, 420), (520, 440), (160, 440)], fill=(168, 164, 158))
    draw.rectangle((180, 130, 490, 424), fill=(grey, grey + 4, grey))
    draw.rectangle((180, 130, 490, 148), fill=(grey - 26, grey - 22, grey - 26))
    draw.line([(335, 150), (335, 424)], fill=(96, 98, 96), width=4)
    for left in (196, 352):
        for y in range(172, 232, 10):
            draw.line([(left, y), (left + 124, y)], fill=(104, 108, 104), width=3)
    draw.rectangle((318, 268, 328, 318), fill=(60, 62, 62))


def _closure(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    draw.polygon([(90, 300), (560, 290), (620, 480), (40, 480)], fill=(96, 84, 72))
    draw.rounded_rectangle((190, 300, 470, 400), 46, fill=(34, 36, 40))
    draw.rounded_rectangle((206, 312, 454, 338), 14, fill=(70, 74, 80))
    for y, colour in ((330, (224, 122, 42)), (352, (40, 42, 46)), (374, (60, 120, 186))):
        draw.line([(40, y + rng.randint(-20, 20)), (196, y)], fill=colour, width=10)
        draw.line([(464, y), (640, y + rng.randint(-24, 24))], fill=colour, width=10)


def _plate(draw: ImageDraw.ImageDraw, subject: str, code: str) -> None:
    left, top = {"pole": (356, 250), "cabinet": (204, 344), "closure": (276, 346)}[subject]
    draw.rectangle((left, top, left + 108, top + 40), fill=(246, 206, 62), outline=(48, 44, 30), width=3)
    draw.text((left + 54, top + 20), code, font=ImageFont.truetype(FONT, 26), fill=(36, 34, 28), anchor="mm")


def _grain(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Add the noise of a sensor; it is coarse, so that it needs few bytes."""
    small = Image.new("L", (SIZE[0] // 4, SIZE[1] // 4))
    small.putdata([128 + rng.randint(-16, 16) for _ in range(small.width * small.height)])
    noise = small.resize(SIZE, Image.Resampling.BILINEAR).convert("RGB")
    return Image.blend(picture, noise, 0.06)


def _exif(when: datetime, position: tuple[float, float]) -> Image.Exif:
    """EXIF 2.3: time taken (0x9003), GPS directory (0x8825) with latitude and longitude."""
    exif = Image.Exif()
    stamp = when.strftime("%Y:%m:%d %H:%M:%S")
    exif[0x010F], exif[0x0132] = "Hasselried Survey", stamp
    exif.get_ifd(0x8769)[0x9003] = stamp
    longitude, latitude = position
    exif.get_ifd(0x8825).update({1: "N", 2: _degrees(latitude), 3: "E", 4: _degrees(longitude)})
    return exif


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = (value % 1) * 60
    return (float(int(value)), float(int(minutes)), round((minutes % 1) * 60, 2))
