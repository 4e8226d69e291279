"""Rows about the page, in Chromium."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks.client_table import AXE, FOLDER
from benchmarks.serve.process import Server, quantile
from tests.chromium import Browser

_AGES = """
window.ages = [];
window.observer?.disconnect();
window.note = () => window.ages.push(Date.now() - 1000 * age.dataset.time);
window.observer = new MutationObserver(window.note);
window.observer.observe(age, { attributes: true, attributeFilter: ["data-time"] });
"""
_SLOW = """
WebSocket.prototype.sendNow = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) { setTimeout(() => this.sendNow(text), 200); };
"""
_LIVE = "document.getElementById('view').dataset.mode === 'live'"


def open_browser():
    return Browser(tempfile.mkdtemp(), "--disable-background-timer-throttling")


def measure_page():
    """Print the bytes of the page, requests to others, the time to the first image, barriers."""
    with Server("test") as server:
        browser = open_browser()
        firsts = []
        for _ in range(5):
            browser.open("data:text/html,empty")
            browser.call("Network.clearBrowserCache")
            browser.open(server.url)
            browser.wait(_LIVE)
            firsts.append(browser.value("performance.now()"))
        names = json.loads(
            browser.value(
                "JSON.stringify([location.href, ...performance.getEntriesByType('resource')"
                ".map((each) => each.name)])"
            )
        )
        own = [name.removeprefix(server.url) for name in names if name.startswith(server.url)]
        files = {name for name in own if "/v1/" not in name}
        size = sum(len(server.get(file)[1]) for file in files)
        print(
            f"page: {size:,} bytes in {len(files)} files, {len(names) - len(own)} requests to "
            f"others, first image after {sorted(firsts)[2]:.0f} ms (most {max(firsts):.0f})"
        )
        print(f"axe: {_count_barriers(browser)} violations at 360 and 1280 px, light and dark")
        browser.close()


def _count_barriers(browser):
    browser.value((Path(FOLDER) / AXE / "axe.min.js").read_text(encoding="utf-8"))
    count = 0
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                width=width, height=800, deviceScaleFactor=1, mobile=width < 500,
            )  # fmt: skip
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            browser.call("Emulation.setEmulatedMedia", features=features)
            browser.value("window.found = null")
            browser.value("axe.run().then((found) => { window.found = found.violations })")
            browser.wait("window.found")
            count += browser.value("window.found.length")
    return count


def measure_tabs():
    """Print the age of the image in a tab that draws 5/s after a minute, and in ten tabs."""
    with Server("test") as server:
        browser = open_browser()
        browser.open(server.url)
        browser.wait(_LIVE)
        browser.value(_SLOW)
        time.sleep(60)
        browser.value(_AGES)
        time.sleep(10)
        ages = json.loads(browser.value("JSON.stringify(window.ages)"))
        print(
            f"tabs: a tab that draws {len(ages) / 10:.1f}/s, after 60 s: age p50 "
            f"{quantile(ages, 0.5):.0f} ms, p95 {quantile(ages, 0.95):.0f} ms"
        )
        sessions = [browser._session, *(_open_tab(browser, server.url) for _ in range(9))]
        for session in sessions:
            browser._session = session
            browser.value(_AGES)
        time.sleep(10)
        found = []
        for session in sessions:
            browser._session = session
            found.append(json.loads(browser.value("JSON.stringify(window.ages)")))
        rates = sorted(len(each) / 10 for each in found)
        ages = [age for each in found for age in each]
        print(
            f"tabs: ten that draw 5/s at once: {rates[0]:.1f} to {rates[-1]:.1f} images/s, "
            f"age p50 {quantile(ages, 0.5):.0f} ms, p95 {quantile(ages, 0.95):.0f} ms"
        )
        browser.close()


def _open_tab(browser, url):
    """Open one more page, in a window of its own: a hidden tab asks for nothing."""
    browser._session = None
    target = browser.call("Target.createTarget", url=url, newWindow=True)["targetId"]
    attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
    browser._session = attached["sessionId"]
    browser.wait(_LIVE)
    browser.value(_SLOW)
    return browser._session
