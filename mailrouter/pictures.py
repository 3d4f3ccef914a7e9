"""Pictures as their pixels alone: no camera, place, author, comment, thumbnail, or anything that follows the picture.

Promises: a picture is read in a process of its own, limited in time and memory, since those who send them may be
hostile; whatever goes wrong there is `Refused`, and nothing of it is passed on. The only door to Pillow.
"""

import io
import os
import resource
import subprocess
import sys

from PIL import Image, ImageOps, ImageSequence

from mailrouter.faults import Refused

FORMATS = ("PNG", "JPEG", "GIF")
MOST_PIXELS = 40_000_000  # of all frames together
MOST_FRAMES = 200
LARGEST = 20 * 1024 * 1024  # bytes, before and after
MEMORY_BYTES = 768 * 1024 * 1024
CPU_SECONDS = 20
WALL_SECONDS = 40.0
_BEGINS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_COMMAND = "from mailrouter.pictures import main; main()"


def is_picture(content: bytes) -> bool:
    """Whether it begins as one of those we can take apart."""
    return content.startswith(_BEGINS)


def bare(content: bytes) -> bytes:
    """The same picture in the same format, turned as it is meant to be seen. `Refused` when it cannot be read so."""
    if len(content) > LARGEST:
        raise Refused(f"a picture of more than {LARGEST // 2**20} MiB is not taken apart")
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "PYTHONPATH": paths}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND], input=content, capture_output=True, timeout=WALL_SECONDS,
            env=environment, start_new_session=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise Refused("the picture could not be taken apart in time") from trouble
    if done.returncode != 0 or not is_picture(done.stdout):
        raise Refused("the picture cannot be read, or is too large")
    return done.stdout


# ---- in a process of its own ----------------------------------------------------------------------------------------


def main() -> None:
    """Standard input to standard output. Exit 1, and nothing said, whatever is wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        made = _pixels(sys.stdin.buffer.read(LARGEST + 1))
    except Exception:  # noqa: BLE001 - a hostile picture may raise anything; the caller says that it was refused
        sys.exit(1)
    sys.stdout.buffer.write(made)


def _pixels(content: bytes) -> bytes:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # beyond twice this Pillow refuses by itself, before it reads
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        kind, frames = str(picture.format), getattr(picture, "n_frames", 1)
        width, height = picture.size
        if frames > MOST_FRAMES or width * height * frames > MOST_PIXELS:
            raise ValueError("too large")
        if kind == "GIF":
            return _saved([_alone(frame) for frame in ImageSequence.Iterator(picture)], kind)
        turned = ImageOps.exif_transpose(picture)
        return _saved([_alone(turned)], kind)


def _alone(frame: Image.Image) -> Image.Image:
    """Its pixels and palette, what is transparent, and how long it is shown."""
    alone = frame.copy()
    alone.info = {name: frame.info[name] for name in ("transparency", "duration", "loop") if name in frame.info}
    alone.getexif().clear()
    return alone


def _saved(frames: list[Image.Image], kind: str) -> bytes:
    made = io.BytesIO()
    first, *more = frames
    if kind == "GIF":
        first.save(made, kind, save_all=bool(more), append_images=more, comment=b"")
    elif kind == "JPEG":
        first.save(made, kind, quality=92)
    else:
        first.save(made, kind)
    return made.getvalue()
