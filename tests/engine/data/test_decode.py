"""One way from bytes to pixels: golden pixels of every mode, and nothing but `Undecodable` on damage."""

import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.data.decode import MOST_PIXELS, Undecodable, decode, to_array
from tests.engine.pictures import digits, encoded, needs_photos, photos, solid

RAMP = np.linspace(0, 1, 256).reshape(16, 16)


def pixels(data: bytes) -> tuple[str, list[int]]:
    """Mode, and the first pixel's channels."""
    image = decode(data)
    return image.mode, np.asarray(image).reshape(image.width * image.height, -1)[0].tolist()


@pytest.mark.parametrize(
    ("kind", "image", "mode", "pixel"),
    [
        ("PNG", solid("RGB", (10, 200, 30)), "RGB", [10, 200, 30]),
        ("PNG", solid("L", 77), "L", [77]),
        ("BMP", solid("RGB", (10, 200, 30)), "RGB", [10, 200, 30]),
        ("PNG", solid("1", 1), "L", [255]),
        ("TIFF", solid("1", 0), "L", [0]),
        ("PNG", solid("LA", (0, 128)), "L", [127]),
        ("PNG", solid("RGBA", (255, 0, 0, 0)), "RGB", [255, 255, 255]),
        ("PNG", solid("RGBA", (255, 0, 0, 128)), "RGB", [255, 127, 127]),
        ("TIFF", solid("CMYK", (0, 255, 255, 0)), "RGB", [255, 0, 0]),
        ("TIFF", solid("CMYK", (0, 0, 0, 255)), "RGB", [0, 0, 0]),
        ("PNG", solid("RGB", (10, 200, 30)).quantize(4), "RGB", [10, 200, 30]),
        ("PNG", solid("L", 77).convert("P"), "L", [77]),
        ("GIF", solid("L", 77), "L", [77]),
        ("GIF", solid("RGB", (10, 200, 30)), "RGB", [10, 200, 30]),
    ],
)
def test_lossless_modes_keep_their_pixels(kind: str, image: Image.Image, mode: str, pixel: list[int]) -> None:
    assert pixels(encoded(image, kind)) == (mode, pixel)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})])
def test_photo_formats_keep_their_colour(kind: str, options: dict[str, object]) -> None:
    mode, pixel = pixels(encoded(solid("RGB", (200, 40, 30)), kind, **options))
    assert mode == "RGB"
    assert np.abs(np.array(pixel) - [200, 40, 30]).max() <= 3


def test_cmyk_jpeg_is_not_inverted() -> None:
    mode, pixel = pixels(encoded(solid("CMYK", (0, 255, 255, 0)), "JPEG", quality=95))
    assert mode == "RGB"
    assert pixel[0] > 245
    assert max(pixel[1:]) < 10


def test_transparent_palette_colour_becomes_white() -> None:
    image = solid("P", 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert pixels(encoded(image, "PNG", transparency=0)) == ("RGB", [255, 255, 255])
    assert pixels(encoded(image, "GIF", transparency=0)) == ("RGB", [255, 255, 255])


@pytest.mark.parametrize(
    ("kind", "ramp"),
    [
        ("PNG", (RAMP * 65535).astype(np.uint16)),
        ("TIFF", (RAMP * 65535).astype(np.uint16)),
        ("TIFF", (RAMP * 65535).astype(np.int32)),
        ("TIFF", (RAMP * 255).astype(np.int32)),
        ("TIFF", RAMP.astype(np.float32)),
        ("TIFF", (RAMP * 255).astype(np.float32)),
        ("TIFF", (RAMP * 3000 - 1000).astype(np.float32)),
    ],
)
def test_deep_pixels_are_scaled_by_their_range(kind: str, ramp: np.ndarray) -> None:
    image = decode(encoded(Image.fromarray(ramp), kind))
    assert image.mode == "L"
    assert np.abs(np.asarray(image) - np.round(RAMP * 255)).max() <= 1


def test_a_dark_sixteen_bit_image_stays_dark() -> None:
    assert pixels(encoded(Image.fromarray(np.full((8, 8), 200, np.uint16)))) == ("L", [1])


def test_sixteen_bit_colour_keeps_its_high_bytes() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">HHH", 0x8001, 0x40FF, 0xFFFF)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    assert pixels(data) == ("RGB", [0x80, 0x40, 0xFF])


def test_pixels_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(Undecodable, match="not numbers"):
        decode(encoded(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_image_upright(orientation: int) -> None:
    upright = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40)
    # What a camera stores so that turning it by the tag gives `upright` back.
    stored = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(np.asarray(decode(encoded(stored, "PNG", exif=exif))), np.asarray(upright))


def test_of_an_animation_the_first_frame() -> None:
    frames = [solid("RGB", colour) for colour in ((255, 0, 0), (0, 255, 0))]
    assert pixels(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])) == ("RGB", [255, 0, 0])
    assert pixels(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])) == ("RGB", [255, 0, 0])


def test_a_path_and_its_bytes_give_the_same(tmp_path) -> None:
    data = encoded(solid("RGB", (1, 2, 3)))
    (tmp_path / "a.png").write_bytes(data)
    assert decode(tmp_path / "a.png").tobytes() == decode(data).tobytes()


@needs_photos
def test_every_truncated_photo_is_found() -> None:
    rng = random.Random(0)
    for data in photos(200):
        decode(data)
        with pytest.raises(Undecodable, match=r"damaged|not an image"):
            decode(data[: int(len(data) * rng.uniform(0.1, 0.97))])


def test_every_truncated_digit_is_found() -> None:
    for data in digits().values():
        decode(data)
        with pytest.raises(Undecodable):
            decode(data[: len(data) // 2])


@needs_photos
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of the damage
def test_damage_raises_nothing_but_undecodable() -> None:
    rng = random.Random(1)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    for number, photo in enumerate(photos(60)):
        image = decode(photo)
        for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"):
            data = bytearray(encoded(image, kind, **({"exif": exif} if number % 2 and kind != "GIF" else {})))
            for _ in range(rng.choice((1, 10))):
                data[rng.randrange(min(len(data), rng.choice((60, 10**6))))] = rng.randrange(256)
            try:
                assert decode(bytes(data)).mode in ("L", "RGB")
            except Undecodable as error:
                assert str(error)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "TGA", "EPS"])
def test_formats_not_on_the_list_are_refused(kind: str) -> None:
    with pytest.raises(Undecodable, match="known kind"):
        decode(encoded(solid("RGB", (1, 2, 3), (32, 32)), kind))


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff", b"GIF89a"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(data)


def test_a_pixel_bomb_is_refused_before_it_is_decoded() -> None:
    side = 10_000
    assert side * side > MOST_PIXELS
    with pytest.raises(Undecodable, match="at most 50 million"):
        decode(encoded(Image.new("1", (side, side))))


@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_have_the_asked_shape(channels: int) -> None:
    array = to_array(solid("RGB", (255, 0, 0), (30, 20)), size=8, channels=channels)
    assert array.shape == (8, 8, channels)
    assert array.dtype == np.uint8
    assert array[0, 0].tolist() == ([76] if channels == 1 else [255, 0, 0])


def test_shrinking_is_antialiased() -> None:
    stripes = Image.fromarray(np.tile(np.array([[0, 255]], np.uint8), (64, 32)))
    assert np.abs(to_array(stripes, size=8, channels=1).astype(int)[:, 1:-1] - 128).max() <= 8
