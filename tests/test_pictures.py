"""Pictures leave as their pixels alone, and hostile ones not at all."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from mailrouter import pictures
from mailrouter.faults import Refused


def made(kind: str, **more: object) -> bytes:
    """A picture of two halves, red and blue, with whatever else."""
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    out = io.BytesIO()
    image.save(out, kind, **more)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_the_pixels_stay_and_nothing_else_does(kind: str) -> None:
    said, exif = PngImagePlugin.PngInfo(), Image.Exif()
    said.add_text("Author", "Jane Roe")
    said.add_itxt("XML:com.adobe.xmp", "<x>Jane Roe</x>")
    exif[0x013B] = "Jane Roe"
    more = {"PNG": {"pnginfo": said, "exif": exif, "icc_profile": b"Jane Roe"},
            "JPEG": {"exif": exif, "comment": b"Jane Roe", "icc_profile": b"Jane Roe", "xmp": b"<x>Jane Roe</x>"},
            "GIF": {"comment": b"Jane Roe"}}[kind]  # fmt: skip
    content = made(kind, **more) + b"Jane Roe"
    bare = pictures.bare(content)
    assert b"Jane Roe" in content
    assert b"Jane" not in bare
    with Image.open(io.BytesIO(bare)) as seen, Image.open(io.BytesIO(content)) as came:
        assert (seen.format, seen.size) == (kind, came.size)
        assert not set(seen.info) & {"exif", "comment", "icc_profile", "xmp", "Author"}
        red, blue = seen.convert("RGB").getpixel((5, 10)), seen.convert("RGB").getpixel((35, 10))
    assert red[0] > 200 > 60 > red[2]  # type: ignore[index,operator]
    assert blue[2] > 200 > 60 > blue[0]  # type: ignore[index,operator]


def test_a_photograph_is_turned_as_its_camera_says_before_that_is_forgotten() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(pictures.bare(made("JPEG", exif=exif)))) as seen:
        assert seen.size == (20, 40)


def test_a_moving_picture_moves_on() -> None:
    out = io.BytesIO()
    first, second = Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")
    first.save(out, "GIF", save_all=True, append_images=[second], duration=70, loop=0, comment=b"Jane")
    with Image.open(io.BytesIO(pictures.bare(out.getvalue()))) as seen:
        assert (getattr(seen, "n_frames", 1), seen.info.get("comment")) == (2, None)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is this large, and is a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9999)) + chunk(b"IEND", b"")
    )


@pytest.mark.row("S31")
@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0nothing", b"GIF89a", bomb(60_000, 60_000), bomb(7_000, 7_000),
     b"BM" + b"\0" * 60, made("PNG")[:60]],
)  # fmt: skip
def test_a_hostile_or_broken_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="picture"):
        pictures.bare(content)


def test_only_three_kinds_are_pictures() -> None:
    assert all(pictures.is_picture(made(kind)) for kind in pictures.FORMATS)
    assert not any(pictures.is_picture(made(kind)) for kind in ("BMP", "TIFF", "WEBP", "PDF"))
