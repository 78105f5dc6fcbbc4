"""Small images as what an element takes."""

import base64
import functools
import io

from PIL import Image

from mnist_core.drawing import Pixels


def enlarged(image: Pixels, times: int) -> Pixels:
    """Each pixel as a block of `times` x `times`, so that it stays crisp."""
    return image.repeat(times, 0).repeat(times, 1)


def in_markdown(image: Pixels, words: str, times: int = 2) -> str:
    """An image (28, 28) as a Markdown image; `words` are its text alternative."""
    return f"![{words}]({data_url(image, times)})"


def data_url(image: Pixels, times: int = 1) -> str:
    """An image (28, 28) as an address that holds it."""
    return _data_url(image.tobytes(), len(image), times)


@functools.lru_cache(maxsize=1_024)
def _data_url(pixels: bytes, side: int, times: int) -> str:
    picture = Image.frombytes("L", (side, side), pixels).resize((side * times, side * times), Image.Resampling.NEAREST)
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
