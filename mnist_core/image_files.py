"""Image files of the formats that people have, opened within a bound of memory."""

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from typing import IO, Any

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base

from mnist_core.errors import DrawingError

FORMATS = ("PNG", "JPEG", "WebP", "GIF", "BMP", "TIFF")  # Pillow opens more, with decoders of rare formats
DRAFT = 2**22  # pixels, the fewest that a JPEG is decoded to where it has more
MEMORY = 240 * 10**6  # bytes, the most that an image may take while it is decoded
TEXT = 200  # characters, the most of Pillow's own words in an error

# Bytes a pixel. What Pillow holds an image in, where it is not 4, and what decoders take that hold it several times.
HELD = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
DECODED = {"WEBP": 17, "HEIF": 9.5, "BMP": 4}


def open_image(path: str | os.PathLike[str], content: IO[bytes] | None = None) -> Image.Image:
    """The image in the file, of several the first, turned upright as its camera noted.

    With `content`, an open file, that is read, and `path` is only what messages call it.

    PNG, JPEG, WebP, GIF, BMP and TIFF are opened, and HEIF where the package pillow_heif is installed. A JPEG of 16
    million pixels or more is decoded with sides 2, 4 or 8 times shorter, so that 4 million pixels or more are left.
    Raises DrawingError for a file that cannot be read, and for an image that would take more than 240 MB of memory.
    """
    # Pillow gets the open file, not its path: of a path it would map a TIFF into memory, and turn that wrongly
    with (
        decoding(f"The image {path}"),
        warnings.catch_warnings(),
        open(path, "rb") if content is None else contextlib.nullcontext(content) as file,
    ):
        warnings.simplefilter("ignore")  # what Pillow finds odd in a file that it reads
        image = Image.open(file, formats=_formats())
        pixels = image.width * image.height
        shorter = max(1, math.isqrt(pixels // DRAFT))
        image.draft(None, (max(1, image.width // shorter), max(1, image.height // shorter)))
        held = image.width * image.height * HELD.get(image.mode, 4)
        _check_memory(path, pixels, held + _decoder_memory(image, pixels))
        # a PNG is decoded to know that, any other is not yet
        if image.getexif().get(Base.Orientation, 1) != 1:
            _check_memory(path, pixels, 2 * held)
        ImageOps.exif_transpose(image, in_place=True)
        return image


@contextlib.contextmanager
def decoding(image: str) -> Iterator[None]:
    """Raises a DrawingError in place of whatever Pillow raises; `image` is how the sentence names what is read."""
    try:
        yield
    except DrawingError:
        raise
    except UnidentifiedImageError as error:
        kinds = f"{', '.join(FORMATS)}, and HEIF where the package pillow_heif is installed"
        raise DrawingError(f"{image} is not an image of a kind that can be read: {kinds}.") from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise DrawingError(f"{image} has more pixels than can be opened: save it smaller.") from error
    except Exception as error:  # what a decoder raises for damaged data is not specified
        if isinstance(error, OSError) and error.strerror:
            reason = f"cannot be read: {error.strerror}"
        else:
            said = " ".join(str(error).split()) or type(error).__name__
            reason = f"cannot be read, it may be damaged: {said[:TEXT].removesuffix('.')}"
        raise DrawingError(f"{image} {reason}.") from error


def _formats() -> list[str]:
    """The formats by Pillow's names."""
    try:
        import pillow_heif
    except ImportError:
        return list(FORMATS)
    pillow_heif.register_heif_opener()
    return [*FORMATS, "HEIF"]


def _check_memory(path: str | os.PathLike[str], pixels: int, memory: int) -> None:
    if memory > MEMORY:
        raise DrawingError(
            f"The image {path} has {pixels / 1e6:,.0f} million pixels, which would take {memory / 1e6:,.0f} MB of "
            f"memory, more than {MEMORY / 1e6:,.0f}: save it smaller."
        )


def _decoder_memory(image: Any, pixels: int) -> int:
    """Bytes that the decoder of `image` takes beside what Pillow holds the image in, from above.

    `pixels` is how many the image in the file has.
    """
    if image.format in ("JPEG", "MPO"):
        # read in one pass, a JPEG takes none; in several, its coefficients are held, of 2 bytes
        header = 6 + 2 * image.layers  # bytes, of a scan that holds all channels, just read
        image.fp.seek(-header, os.SEEK_CUR)
        if "progressive" not in image.info and int.from_bytes(image.fp.read(2), "big") == header:
            return 0
        sampling: list[int] = [layer[1] * layer[2] for layer in image.layer]
        return 2 * pixels * sum(sampling) // max(sampling)
    if image.format == "TIFF" and image.info["compression"] != "raw":
        # libtiff maps the file, and decodes one tile or strip after the other
        tags = image.tag_v2
        if Base.TileWidth in tags:
            tile: int = tags[Base.TileWidth] * tags[Base.TileLength]
        else:
            tile = min(tags[Base.ImageWidth] * tags.get(Base.RowsPerStrip, pixels), pixels)
        bits: int = max(tags.get(Base.BitsPerSample, (1,))) * tags.get(Base.SamplesPerPixel, 1)
        is_ycbcr = tags.get(Base.PhotometricInterpretation) == 6  # decoded to 4 bytes a pixel
        return os.fstat(image.fp.fileno()).st_size + tile * (32 if is_ycbcr else bits) // 8
    return int(pixels * max(0, DECODED.get(image.format, 0) - HELD.get(image.mode, 4)))
