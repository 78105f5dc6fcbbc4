import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from mnist_core import drawing, image_files
from mnist_core.errors import DrawingError
from tests.test_drawing import digit_seven, seven_in

SAVED = [
    *(("png", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("jpg", mode, {"quality": 95}) for mode in ("L", "RGB", "CMYK")),
    ("jpg", "RGB", {"quality": 95, "progressive": True}),
    ("webp", "RGB", {"lossless": True}),
    ("webp", "RGBA", {"lossless": True}),
    ("webp", "RGB", {"quality": 95}),
    ("gif", "L", {}),
    ("gif", "RGB", {}),
    *(("bmp", mode, {}) for mode in ("1", "L", "P", "RGB")),
    *(("tif", mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB", "YCbCr")),
    *(("tif", mode, {"compression": "tiff_lzw"}) for mode in ("L", "RGB", "I;16", "F")),
    ("tif", "RGB", {"compression": "jpeg", "quality": 95}),
    ("tif", "YCbCr", {"compression": "jpeg", "quality": 95}),
    ("tif", "1", {"compression": "group4"}),
]


def refusal(path):
    """The sentence with which the file is refused."""
    with pytest.raises(DrawingError) as caught:
        image_files.open_image(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400 + len(str(path))
    return sentence


@pytest.mark.parametrize(("ending", "mode", "how"), SAVED)
def test_every_kind_of_file_gives_the_same_digit(ending, mode, how, tmp_path):
    path = tmp_path / f"seven.{ending}"
    seven_in(mode).save(path, **how)
    off = drawing.to_mnist(image_files.open_image(path)).astype(int) - drawing.to_mnist(digit_seven())
    assert np.abs(off).mean() < 1


def test_heif_is_read_where_its_package_is_installed(tmp_path):
    pytest.importorskip("pillow_heif").register_heif_opener()
    digit_seven().save(tmp_path / "seven.heic")
    off = drawing.to_mnist(image_files.open_image(tmp_path / "seven.heic")).astype(int)
    assert np.abs(off - drawing.to_mnist(digit_seven())).mean() < 1


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tif"])
def test_of_several_images_in_a_file_the_first_is_read(ending, tmp_path):
    path = tmp_path / f"several.{ending}"
    digit_seven().save(path, save_all=True, append_images=[Image.new("L", (280, 280), grey) for grey in (0, 90)])
    off = drawing.to_mnist(image_files.open_image(path)).astype(int) - drawing.to_mnist(digit_seven())
    assert np.abs(off).mean() < 1


@pytest.mark.parametrize("ending", ["gif", "png"])
@pytest.mark.parametrize("ink", [0, 255])
def test_what_a_palette_says_is_transparent_holds_no_ink(ending, ink, tmp_path):
    image = digit_seven(mode="P", ink=1)
    image.putpalette([255, 0, 0, ink, ink, ink])
    image.save(tmp_path / f"seven.{ending}", transparency=0)
    opened = image_files.open_image(tmp_path / f"seven.{ending}")
    assert np.array_equal(drawing.to_mnist(opened), drawing.to_mnist(digit_seven()))


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(ending, orientation, tmp_path):
    turns = Image.Transpose
    as_held = {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_90,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_270,
    }
    upright = digit_seven(size=(280, 240))
    held = upright.transpose(as_held[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    held.save(tmp_path / f"photo.{ending}", exif=exif, quality=95)
    opened = image_files.open_image(tmp_path / f"photo.{ending}")
    assert opened.size == (280, 240)
    off = drawing.to_mnist(opened).astype(int) - drawing.to_mnist(upright)
    assert np.abs(off).mean() < 1


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_an_opened_image_can_be_used_when_its_file_is_gone(ending, tmp_path):
    path = tmp_path / f"seven.{ending}"
    digit_seven().save(path)
    opened = image_files.open_image(path)
    path.unlink()
    assert opened.convert("RGB").resize((20, 20)).size == (20, 20)
    assert opened.copy().size == np.asarray(opened).shape[1::-1] == (280, 280)
    opened.save(tmp_path / "again.png")


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path):
    assert refusal(tmp_path / "none.png").endswith("none.png cannot be read: No such file or directory.")
    assert "cannot be read" in refusal(tmp_path)
    assert "cannot be read" in refusal("a\0b.png")
    with pytest.raises(DrawingError, match="cannot be read"):
        image_files.open_image("x" * 5_000)  # too long to be quoted whole


@pytest.mark.skipif(sys.platform == "win32", reason="all files may be read there")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "seven.png"
    path.touch(0)
    user = os.geteuid()
    if user == 0:  # who may read all files
        os.seteuid(65534)
    try:
        assert refusal(path).endswith("seven.png cannot be read: Permission denied.")
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0"])
def test_a_file_without_an_image_is_refused(content, tmp_path):
    path = tmp_path / "seven.png"
    path.write_bytes(content)
    assert "is not an image of a kind that can be read: PNG, JPEG, WebP, GIF, BMP, TIFF" in refusal(path)


@pytest.mark.parametrize("ending", ["avif", "blp", "dds", "eps", "icns", "ico", "jp2", "pcx", "ppm", "spider", "tga"])
def test_formats_that_people_do_not_have_are_not_opened(ending, tmp_path):
    path = tmp_path / f"seven.{ending}"
    mode = {"spider": "F", "blp": "P"}.get(ending, "RGB")
    digit_seven().convert(mode).save(path, format="SPIDER" if ending == "spider" else None)
    assert "is not an image of a kind" in refusal(path)


@pytest.mark.parametrize(("ending", "mode", "how"), SAVED)
def test_a_file_that_was_cut_is_refused_or_read(ending, mode, how, tmp_path):
    path = tmp_path / f"cut.{ending}"
    seven_in(mode).save(path, **how)
    whole = path.read_bytes()
    for length in {*range(0, min(len(whole), 400), 7), *np.linspace(0, len(whole) - 1, 40).astype(int).tolist()}:
        path.write_bytes(whole[:length])
        try:
            image = image_files.open_image(path)
        except DrawingError:
            refusal(path)
        else:
            assert image.size == (280, 280)


def test_what_a_decoder_says_is_cut(monkeypatch, tmp_path):
    def fail(*_, **__):
        raise RuntimeError("wrong\n" * 1_000)

    digit_seven().save(tmp_path / "seven.png")
    monkeypatch.setattr(Image, "open", fail)
    assert "it may be damaged: wrong wrong" in refusal(tmp_path / "seven.png")


def png_of(width, height, colour_type):
    """A PNG that says it has so many pixels, and holds none."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    parts = [header, b"IDAT" + zlib.compress(b""), b"IEND"]
    chunks = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("size", "part"),
    [
        (
            (13_000, 13_000),
            "has 169 million pixels, which would take 676 MB of memory, more than 240: save it smaller.",
        ),
        ((60_000, 60_000), "has more pixels than can be opened: save it smaller."),
    ],
)
def test_an_image_that_takes_too_much_memory_is_refused(size, part, tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(png_of(*size, 2))
    tracemalloc.start()
    try:
        assert part in refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6  # bytes
    finally:
        tracemalloc.stop()


def large_jpeg(path, progressive=False, one_channel_first=False):
    """A JPEG that says that it has 81 million pixels; what it lacks is filled up by the decoder."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG", progressive=progressive, subsampling=0)
    content = bytearray(buffer.getvalue())
    at = content.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", 9_000, 9_000)
    if one_channel_first:
        at = content.index(b"\xff\xda")
        content[at : at + 14] = struct.pack(">BBHBBBBBB", 0xFF, 0xDA, 8, 1, 1, 0, 0, 63, 0)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("how", [{"progressive": True}, {"one_channel_first": True}])
def test_a_jpeg_whose_coefficients_take_too_much_memory_is_refused(how, tmp_path):
    assert image_files.open_image(large_jpeg(tmp_path / "large.jpg")).size == (2_250, 2_250)
    sentence = refusal(large_jpeg(tmp_path / "large.jpg", **how))
    assert "has 81 million pixels, which would take 506 MB of memory" in sentence


@pytest.mark.parametrize("name", ["seven.png", "seven.tif"])
def test_a_turned_image_is_refused_where_it_cannot_be_held_twice(name, monkeypatch, tmp_path):
    monkeypatch.setattr(image_files, "MEMORY", 280 * 280 * 6)
    digit_seven().convert("RGB").save(tmp_path / name)
    assert image_files.open_image(tmp_path / name).size == (280, 280)
    exif = Image.Exif()
    exif[0x0112] = 6
    digit_seven().convert("RGB").save(tmp_path / name, exif=exif)
    assert "save it smaller" in refusal(tmp_path / name)


MEASURE = """
import sys, time
from mnist_core import drawing, image_files

def status(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key)) / 1000  # MB

for path in sys.argv[1:]:  # the first has everything imported
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before, began = status("VmRSS"), time.process_time()
    steps = drawing.follow(image_files.open_image(path))
    print(status("VmHWM") - before, time.process_time() - began, *steps.box, *steps.ink.shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process' memory is read from /proc")
@pytest.mark.parametrize(
    ("name", "size", "how"),
    [
        ("photo.jpg", (4_000, 3_000), {}),
        pytest.param("photo.jpg", (4_000, 3_000), {"progressive": True, "subsampling": 0}, marks=pytest.mark.slow),
        ("photo.jpg", (12_000, 8_000), {}),
        ("photo.png", (4_000, 3_000), {"compress_level": 1}),
        pytest.param("photo.webp", (4_000, 3_000), {"method": 0, "quality": 50}, marks=pytest.mark.slow),
        pytest.param("photo.gif", (4_000, 3_000), {}, marks=pytest.mark.slow),
        pytest.param("photo.tif", (4_000, 3_000), {}, marks=pytest.mark.slow),
        ("photo.tif", (4_000, 3_000), {"compression": "tiff_lzw"}),
    ],
)
def test_a_large_image_takes_little_memory_and_time(name, size, how, tmp_path):
    digit_seven().save(tmp_path / "small.png")
    digit_seven().save(tmp_path / f"small{name[5:]}")
    width, height = size
    grey = np.add.outer(np.arange(height) * (40 / height), np.arange(width) * (40 / width)).astype(np.uint8) + 150
    grey[height // 5 : height * 4 // 5, width // 2 : width * 5 // 9] -= 120
    photo = Image.fromarray(grey.astype(np.uint16) * 257) if name == "photo.tif" else Image.fromarray(grey)
    (photo if name == "photo.tif" else photo.convert("RGB")).save(tmp_path / name, **how)
    paths = [tmp_path / "small.png", tmp_path / f"small{name[5:]}", tmp_path / name]
    command = [sys.executable, "-c", MEASURE, *map(str, paths)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    memory, seconds, left, top, right, bottom, ink_height, ink_width = map(float, lines[-1].split())
    assert memory < 300  # MB
    # half of it on a machine that is neither slow nor busy
    assert seconds < (2 if width == 4_000 else 6)
    shares = [left / ink_width, right / ink_width, top / ink_height, bottom / ink_height]
    assert shares == pytest.approx([1 / 2, 5 / 9, 1 / 5, 4 / 5], abs=0.01)


def test_a_large_photo_is_opened_without_a_warning(recwarn, tmp_path):
    digit_seven(size=(12_000, 8_000), scale=25).save(tmp_path / "photo.jpg")
    opened = image_files.open_image(tmp_path / "photo.jpg")
    assert 2**22 <= opened.width * opened.height < 2**24
    assert drawing.to_mnist(opened).shape == (28, 28)
    assert not recwarn.list
