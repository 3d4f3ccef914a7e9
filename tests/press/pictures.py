"""Pictures of the published site for docs/: `make pictures` draws them anew from a note as it would be in earnest."""

import functools
import http.server
import io
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from mailrouter.press import site
from tests.press import notes
from tests.press.test_browser import Quiet
from tests.servers.wait import program

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = {  # name -> path, width, height, pixels per point
    "note-desk": (f"vuls/id/{notes.FIVE.note.vu}/", 1280, 1500, 1),
    "note-telephone": (f"vuls/id/{notes.FIVE.note.vu}/#vendors", 360, 1500, 2),
    "notes-index": ("vuls/", 1280, 900, 1),
}
COLOURS = 128  # of a palette: a page has few, and a picture of it stays small


def drawn() -> None:
    """All of them, written."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder))
        handler = functools.partial(Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            browser = playwright.chromium.launch(executable_path=program("chromium", "chromium"), args=["--no-sandbox"])
            for name, (path, width, height, scale) in PICTURES.items():
                page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
                page.goto(f"http://127.0.0.1:{server.server_port}/{path}")
                (DOCS / f"{name}.png").write_bytes(_small(page.screenshot()))
            browser.close()
            server.shutdown()


def _write(folder: Path) -> None:
    files = dict(site.of_all(notes.SEVERAL, notes.PUBLISHER, b"", datetime(2027, 1, 1, tzinfo=UTC)))
    for one in notes.SEVERAL:
        files |= site.of_edition(one, notes.PUBLISHER)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _small(picture: bytes) -> bytes:
    with Image.open(io.BytesIO(picture)) as whole:
        out = io.BytesIO()
        whole.convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    drawn()
