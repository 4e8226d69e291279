"""A server that speaks as much of S3 and of Google's JSON interface as pyarrow asks for."""

from __future__ import annotations

import json
import re
import time
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

if TYPE_CHECKING:
    from pathlib import Path

DENIED = "denied"
"""A bucket that nobody may read."""


REFUSED = "refused"
"""A bucket of Amazon's whose credentials are wrong, whatever they are."""


class BucketServer(ThreadingHTTPServer):
    """Buckets in memory; a context manager that serves them.

    Attributes:
        objects: The content of each file, by bucket and key: "photos/happy/a.jpg".
        delay_s: Seconds before the answer to each request.
        requests: The requests: method and path.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.delay_s = 0.0
        self.requests: list[str] = []
        self.lock = Lock()
        self.parts: dict[str, dict[int, bytes]] = {}

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """Return its URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, folder: Path, address: str) -> None:
        """Add the files of a folder, at "BUCKET/FOLDER"."""
        for path in folder.rglob("*"):
            if path.is_file():
                inside = path.relative_to(folder).as_posix()
                self.objects[f"{address}/{inside}"] = path.read_bytes()

    def has(self, bucket: str) -> bool:
        """Return whether there is such a bucket: one with a file in it."""
        return any(key.startswith(f"{bucket}/") for key in self.objects)

    def list(self, bucket: str, prefix: str, delimiter: str) -> tuple[dict[str, bytes], list[str]]:
        """Return the files and the prefixes below a prefix."""
        files, prefixes = {}, set()
        for full in sorted(self.objects):
            name, _, key = full.partition("/")
            if name != bucket or not key.startswith(prefix):
                continue
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if found:
                prefixes.add(f"{prefix}{head}{delimiter}")
            else:
                files[key] = self.objects[full]
        return files, sorted(prefixes)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BucketServer

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.query = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        self.body = self._read_body()
        with self.server.lock:
            self.server.requests.append(f"{self.command} {unquote(self.path)}")
        time.sleep(self.server.delay_s)
        if match := re.fullmatch(r"(/upload)?/storage/v1/b/([^/]+)/o(?:/(.*))?", url.path):
            self._serve_google(bool(match[1]), match[2], unquote(match[3] or ""))
        else:
            bucket, _, key = unquote(url.path).lstrip("/").partition("/")
            self._serve_amazon(bucket, key)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - of http.server

    def _serve_amazon(self, bucket: str, key: str) -> None:
        objects, name = self.server.objects, f"{bucket}/{key}"
        if bucket == DENIED:
            self._fail(403, "AccessDenied")
        elif bucket == REFUSED:
            self._fail(403, "InvalidAccessKeyId")
        elif not self.server.has(bucket):
            self._fail(404, "NoSuchBucket")
        elif self.command == "PUT" and "uploadId" in self.query:
            parts = self.server.parts.setdefault(self.query["uploadId"], {})
            parts[int(self.query["partNumber"])] = self._decode_body()
            self._answer(200, b"", ETag='"part"')
        elif self.command == "PUT":
            objects[name] = self._decode_body()
            self._answer(200, b"", ETag='"0"')
        elif self.command == "POST" and "delete" in self.query:
            for found in re.findall("<Key>(.*?)</Key>", self.body.decode()):
                objects.pop(f"{bucket}/{unescape(found)}", None)
            self._answer(200, _xml("DeleteResult"))
        elif self.command == "POST" and "uploads" in self.query:
            self._answer(200, _xml("InitiateMultipartUploadResult", UploadId=name))
        elif self.command == "POST" and "delete" in self.query:
            for key in re.findall("<Key>(.*?)</Key>", self.body.decode()):
                objects.pop(f"{bucket}/{unescape(key)}", None)
            self._answer(200, _xml("DeleteResult"))
        elif self.command == "POST":
            parts = self.server.parts.pop(self.query["uploadId"])
            objects[name] = b"".join(parts[number] for number in sorted(parts))
            self._answer(200, _xml("CompleteMultipartUploadResult", ETag="0"))
        elif self.command == "DELETE":
            objects.pop(name, None)
            self._answer(204, b"")
        elif not key and self.command == "GET":
            self._list_amazon(bucket)
        elif not key:
            self._answer(200, b"")
        elif name not in objects:
            self._fail(404, "NoSuchKey")
        else:
            self._send_object(objects[name])

    def _list_amazon(self, bucket: str) -> None:
        files, prefixes = self.server.list(
            bucket, self.query.get("prefix", ""), self.query.get("delimiter", "")
        )
        listed = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size>"
            "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
            for key, content in files.items()
        ) + "".join(
            f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in prefixes
        )
        self._answer(
            200,
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode(),
        )

    def _serve_google(self, is_upload: bool, bucket: str, key: str) -> None:
        objects, name = self.server.objects, f"{bucket}/{key}"
        if bucket == DENIED:
            self._answer(403, b'{"error": {"code": 403, "message": "denied"}}')
        elif not self.server.has(bucket):
            self._answer(404, b'{"error": {"code": 404, "message": "no such bucket"}}')
        elif is_upload and "upload_id" not in self.query:
            name = self.query.get("name") or json.loads(self.body)["name"]
            url = f"{self.server.url}/upload/storage/v1/b/{bucket}/o?upload_id={name}"
            self._answer(200, b"", Location=url)
        elif is_upload:
            name = self.query["upload_id"]
            objects[f"{bucket}/{name}"] = self.body
            self._answer(200, json.dumps(_describe(bucket, name, self.body)).encode())
        elif not key:
            files, prefixes = self.server.list(
                bucket, self.query.get("prefix", ""), self.query.get("delimiter", "")
            )
            items = [_describe(bucket, each, content) for each, content in files.items()]
            self._answer(200, json.dumps({"items": items, "prefixes": prefixes}).encode())
        elif name not in objects:
            self._answer(404, b'{"error": {"code": 404, "message": "no such object"}}')
        elif self.command == "DELETE":
            del objects[name]
            self._answer(204, b"")
        elif self.query.get("alt") == "media":
            self._send_object(objects[name])
        else:
            self._answer(200, json.dumps(_describe(bucket, key, objects[name])).encode())

    def _send_object(self, content: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        headers = {"ETag": '"0"', "Last-Modified": formatdate(0, usegmt=True)}
        if not asked:
            self._answer(200, content, **headers)
            return
        begin, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        headers["Content-Range"] = f"bytes {begin}-{end}/{len(content)}"
        self._answer(206, content[begin : end + 1], **headers)

    def _decode_body(self) -> bytes:
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return self.body
        content, rest = b"", self.body
        while rest:
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.partition(b";")[0] or b"0", 16)
            if not size:
                break
            content, rest = content + rest[:size], rest[size + 2 :]
        return content

    def _fail(self, status: int, code: str) -> None:
        self._answer(status, _xml("Error", Code=code, Message=code))

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def _xml(name: str, **values: str) -> bytes:
    inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in values.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{inner}</{name}>'.encode()


def _describe(bucket: str, key: str, content: bytes) -> dict[str, str]:
    return {
        "kind": "storage#object",
        "name": key,
        "bucket": bucket,
        "size": str(len(content)),
        "generation": "1",
        "metageneration": "1",
        "etag": md5(content, usedforsecurity=False).hexdigest(),
        "updated": "2026-01-01T00:00:00Z",
    }
