"""A real Chromium that a test drives: it loads pages, presses keys, clicks, and says what a person would see.

It speaks the DevTools protocol over a pair of pipes (`--remote-debugging-pipe`), so nothing listens anywhere.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE_S = 60.0
_ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}


def _labelled(label: str) -> str:
    """What finds the field with this label."""
    return (
        "((l) => l && document.getElementById(l.htmlFor))([...document.querySelectorAll('label')].find((e) => "
        f"e.checkVisibility() && e.textContent.trim().startsWith({json.dumps(label)})))"
    )


@dataclass
class Browser:
    """A browser, and the tab of it that is driven."""

    to: int
    back: int
    downloads: Path
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0
    _rest: bytes = b""

    def send(self, method: str, **parameters: Any) -> Any:
        """What the browser answers."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            # What is still said of a tab before this one is none of its business.
            if answer.get("sessionId", "") == self.session:
                self.events.append(answer)

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.back], [], [], _PATIENCE_S)
            assert ready, "the browser says nothing"
            self._rest += os.read(self.back, 1 << 20)
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    @contextlib.contextmanager
    def tab(self, width: int = 1440, height: int = 900) -> Iterator[Browser]:
        """A new tab, closed at the end without being asked whether it may."""
        self.session = ""
        # A context of its own: no cookie, and no process in which a complaint of an earlier page is kept.
        context = self.send("Target.createBrowserContext")["browserContextId"]
        where = {"browserContextId": context, "downloadPath": str(self.downloads)}
        self.send("Browser.setDownloadBehavior", behavior="allow", **where)
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.events.clear()
        self.size(width, height)
        yield self
        self.session = ""
        self.send("Target.disposeBrowserContext", browserContextId=context)

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)

    def js(self, code: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        answer = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, code: str) -> Any:
        """The value of an expression, once it is something."""
        # Asked again and again from here: while a page is being loaded there is nobody in it to wait.
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            with contextlib.suppress(AssertionError):
                if value := self.js(code):
                    return value
            select.select([], [], [], 0.02)
        raise AssertionError(f"never came: {code}\n{self.text()[:3000]}")

    def text(self) -> str:
        return str(self.js("document.body.innerText"))

    def sees(self, text: str) -> None:
        """Wait until a person would read `text`."""
        self.until(f"document.body.innerText.replace(/\\s+/g, ' ').includes({json.dumps(text)})")

    def click(self, selector: str, text: str = "") -> None:
        """Click the first element of that kind that can be seen, and that says `text`."""
        self.let_go(*self.hold(selector, text))

    def hold(self, selector: str, text: str = "") -> tuple[float, float]:
        """Press the mouse on that element, and keep it pressed. Returns where that is."""
        found = (
            f"[...document.querySelectorAll({json.dumps(selector)})].find((e) => e.checkVisibility() && "
            f"!e.disabled && e.textContent.includes({json.dumps(text)}))"
        )
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            x, y = self.until(
                f"(() => {{ const e = {found}; if (!e) return null; e.scrollIntoView({{block: 'center'}}); "
                "addEventListener('pointerdown', (event) => { e.isHit = e.contains(event.target); }, "
                "{capture: true, once: true}); window.wanted = e; "
                "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
            )
            self._mouse("mousePressed", x, y)
            if self.js("window.wanted.isHit"):
                return x, y
            # The page has moved meanwhile. Let go outside of it, which is a click on nothing.
            self.let_go(-1, -1)
        raise AssertionError(f"never hit: {selector} {text}\n{self.text()[:3000]}")

    def let_go(self, x: float, y: float) -> None:
        self._mouse("mouseReleased", x, y)

    def _mouse(self, kind: str, x: float, y: float) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def write(self, text: str) -> None:
        """As if pasted into what has the focus."""
        self.send("Input.insertText", text=text)

    def press(self, key: str, modifiers: int = 0) -> None:
        event = _ENTER if key == "Enter" else {"key": key, "code": key if len(key) > 1 else f"Key{key.upper()}"}
        codes = {
            "Tab": 9,
            "Escape": 27,
            "ArrowDown": 40,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowLeft": 37,
            "Backspace": 8,
        }
        code = codes.get(key, ord(key.upper()) if len(key) == 1 else event.get("windowsVirtualKeyCode", 0))
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                **{**event, "type": kind, "windowsVirtualKeyCode": code, "modifiers": modifiers},
            )

    def fill(self, label: str, value: str) -> None:
        """Write `value` into the field with this label, in place of what is there."""
        self.until(f"(() => {{ const f = {_labelled(label)}; f?.focus(); f?.select?.(); return Boolean(f); }})()")
        self.write(value)

    def choose(self, label: str, value: str) -> None:
        """Take the entry `value` of the list with this label."""
        self.until(
            f"(() => {{ const f = {_labelled(label)}; if (!f) return false; f.value = {json.dumps(value)}; "
            "f.dispatchEvent(new Event('change', {bubbles: true})); return Boolean(f.value); })()"
        )

    def download(self, name: str) -> Path:
        """A file that was downloaded, once it is whole."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and not (self.downloads / name).exists():
            select.select([], [], [], 0.02)
        return self.downloads / name

    def screenshot(self, path: Path | str) -> None:
        data = self.send("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(base64.b64decode(data))

    def size(self, width: int, height: int) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def dark(self) -> None:
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])


@contextlib.contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser whose profile and downloads are in `folder`."""
    to_read, to_write = os.pipe()
    back_read, back_write = os.pipe()
    downloads = folder / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)

    # The browser takes what it is told from descriptor 3, and answers on 4: from far above, so that neither is closed.
    far = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 50) for one in (to_read, back_write)]
    command = [str(CHROMIUM), *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (1, 2)]
    wires = [(os.POSIX_SPAWN_DUP2, far[0], 3), (os.POSIX_SPAWN_DUP2, far[1], 4)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[*nowhere, *wires])
    for each in (to_read, back_write, *far):
        os.close(each)
    try:
        yield Browser(to_write, back_read, downloads)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(to_write)
        os.close(back_read)
