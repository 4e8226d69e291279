"""The least token, and the files of the page. Standard library only."""

from __future__ import annotations

MIN_TOKEN = 16
"""Fewest characters of a token: too many to try them all."""

OPENAPI = "openapi.json"
PAGE_FILES = (
    "icon.svg",
    "index.html",
    "labelling.js",
    "login.html",
    "main.js",
    "result.js",
    "sample.jpg",
    "server.js",
    "stage.js",
    "style.css",
    "timeline.js",
    "trying.js",
    "words.js",
)
"""Names of the files in the folder ``page``; an archive has no folder to list."""
