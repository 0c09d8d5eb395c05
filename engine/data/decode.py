"""The one way from bytes to pixels, for import, training and prediction alike."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
MOST_PIXELS = 50_000_000
MOST_BYTES = 4 * MOST_PIXELS  # of one file: the largest image, uncompressed

ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # Pillow only warns; ours refuses, before anything is decoded


class Undecodable(ValueError):
    """These bytes are no image that Thaw reads; the text says why."""


def decode(source: Path | bytes) -> Image.Image:
    """The image as "L" (grey) or "RGB": upright by its EXIF, transparency over white, deep pixels scaled to 8 bits.

    Of an animation, the first frame.

    Raises:
        Undecodable: Not an image, a format not in `FORMATS`, damaged, or over `MOST_PIXELS`.
    """
    try:
        with Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise Undecodable(f"{width} x {height} pixels; at most {MOST_PIXELS // 1_000_000} million are read")
            image.load()  # a full decode: Pillow's verify() passes truncated JPEGs
            return eight_bit(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise Undecodable(f"not an image of a known kind ({', '.join(FORMATS)})") from None
    except Undecodable:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise Undecodable(f"damaged: {' '.join(str(error).split()) or type(error).__name__}") from None


def to_array(image: Image.Image, *, size: int, channels: int, resize: str = "stretch") -> np.ndarray:
    """A decoded image as the network sees it: (size, size, channels) uint8, resized with antialiasing.

    Args:
        image: Of any mode.
        size: Side, pixels.
        channels: 1 or 3.
        resize: How it becomes square: "stretch", "crop" (the middle) or "pad" (with black).
    """
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (size, size):
        target, smooth = (size, size), Image.Resampling.BILINEAR
        match resize:
            case "crop":
                image = ImageOps.fit(image, target, smooth)
            case "pad":
                image = ImageOps.pad(image, target, smooth)
            case _:
                image = image.resize(target, smooth)
    return np.asarray(image, dtype=np.uint8).reshape(size, size, channels)


def eight_bit(image: Image.Image) -> Image.Image:
    """An image of any mode as "L" or "RGB"; what is see-through stands on white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return Image.fromarray(_scaled(np.asarray(image)))
    grey = image.mode in ("1", "L", "LA", "La") or (image.mode in ("P", "PA") and _has_grey_palette(image))
    if image.mode in ("LA", "La", "PA") or image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("RGB").convert("L") if grey else image.convert("RGB")


def _has_grey_palette(image: Image.Image) -> bool:
    colours = np.asarray(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _scaled(pixels: np.ndarray) -> np.ndarray:
    """Deep pixels to 0..255: 16-bit ones by their whole range, others by the usual range that holds them.

    The range is the format's, not the image's own: a dark image stays dark beside its neighbours.
    """
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise Undecodable("it holds pixels that are not numbers")
    low, high = float(values.min()), float(values.max())
    usual = (65535.0,) if pixels.dtype.itemsize == 2 else (255.0, 65535.0)
    tops = [top for top in (usual if pixels.dtype.kind in "iu" else (1.0, *usual)) if high <= top]
    if low >= 0 and tops:
        low, high = 0.0, tops[0]
    return np.round((values - low) * (255.0 / max(high - low, 1e-12))).clip(0, 255).astype(np.uint8)
