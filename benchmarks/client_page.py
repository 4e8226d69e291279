"""Predict images with one engine in Chromium; `benchmarks/clients.py` starts it.

    python benchmarks/client_page.py RUNTIME ENGINE MODEL IMAGE ...

RUNTIME is the folder that `benchmarks/client_table.py` fills; ENGINE is "litert", "onnxruntime" or
"mediapipe". It serves a page to Chromium without a window, which has the pixels of the images and
sends back a line for each: the output, or LABEL=SCORE. Nothing else can be reached from there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MODULES = (EXAMPLES / "web", EXAMPLES / "clients")
TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript",
         ".wasm": "application/wasm"}  # fmt: skip
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
PAGE = """<!doctype html><meta charset="utf-8"><title>client</title><body><script type="module">
const send = (body) => fetch("/result", { method: "POST", body: JSON.stringify(body) });
try {
  const { stretch, toGrey, toRGB } = await import("/pillow.js");
  const { readImage } = await import("/image.js");
  const [ENGINE, CHANNELS, COUNT] = SETTINGS;
  const bytes = new Uint8Array(await (await fetch("/model")).arrayBuffer());
  const engine = await import(ENGINE === "mediapipe" ? "/with_mediapipe.js" : `/${ENGINE}.js`);
  const run = await (engine.openClassifier ?? engine.openModel)(bytes);
  const rows = [];
  for (let i = 0; i < COUNT; i++) {
    const image = await readImage(await (await fetch(`/image/${i}`)).blob());
    const { data } = image.data;
    const pixels = CHANNELS === 1 ? toGrey(data) : toRGB(data);
    rows.push(await run(ENGINE === "mediapipe" ? image.data : pixels));
  }
  await send({ rows });
} catch (error) {
  await send({ error: String(error.message ?? error) });
}
</script>"""


class Server(HTTPServer):
    """Serves the page, the engines, the model and the images, and keeps the result."""

    def __init__(self, runtime, engine, model, images, channels):
        super().__init__(("127.0.0.1", 0), Handler)
        settings = json.dumps([engine, channels, len(images)])
        self.page = PAGE.replace("SETTINGS", settings).encode()
        self.files = {"/model": model, **{f"/image/{i}": path for i, path in enumerate(images)}}
        self.folders = (*MODULES, Path(runtime))
        self.result = None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        if self.path == "/":
            return self._send(self.server.page, "text/html")
        path = self.server.files.get(self.path) or next(
            (found for folder in self.server.folders
             if (found := folder / self.path.lstrip("/")).is_file()), None
        )  # fmt: skip
        if path is None:
            return self.send_error(404)
        return self._send(Path(path).read_bytes(), TYPES.get(Path(path).suffix, "image/png"))

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.result = json.loads(self.rfile.read(length))
        self._send(b"", "text/plain")

    def _send(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def start_chromium(url, profile):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        sys.exit("Chromium is not installed")
    return subprocess.Popen(
        [
            program, "--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu",
            "--enable-unsafe-swiftshader", OFFLINE,
            f"--user-data-dir={profile}", url,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def main() -> None:
    runtime, engine, model, channels, *images = sys.argv[1:]
    server = Server(runtime, engine, model, images, int(channels))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = start_chromium(f"http://127.0.0.1:{server.server_port}/", profile)
        try:
            while server.result is None:
                server.handle_request()
        finally:
            browser.kill()
            browser.wait()
    if "error" in server.result:
        sys.exit(server.result["error"])
    for row in server.result["rows"]:
        print(*(row if isinstance(row, list) else [f"{k}={v!r}" for k, v in row.items()]))


if __name__ == "__main__":
    main()
