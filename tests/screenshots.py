"""The pictures of the page in README and docs, made from the running product: `python -m tests.screenshots [FOLDER]`.

It opens the real assistant over the index and drives the page as a reader would. The picture of a report is that of the
gate, which `make test` runs first. FOLDER is docs/ by default.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rag.assistant import Assistant
from rag.config import load_settings
from rag.ingest.build import build
from rag.models.embedder import MiniLM
from rag.models.registry import find_model
from rag.server.network import free_port
from rag.ui.serving import serve
from rag.ui.sessions import Sessions
from tests.browser import chromium, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

QUESTION = "How long did the meeting between Rubio and Lavrov last?"
FOLLOW_UP = "Where was it held?"
AMBIGUOUS = "How long did the meeting last?"
UNANSWERABLE = "Who is the president of France?"
ANSWER_MS = 60_000  # a busy machine
REPORT = Path("eval") / "runs" / "gate-none" / "report.html"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}


def ask(page: Page, question: str) -> None:
    """Ask and wait for the final answer."""
    before = page.locator(".cw-turn[aria-busy=false]").count()
    page.fill("#cw-question textarea", question)
    page.press("#cw-question textarea", "Enter")
    page.locator(".cw-turn[aria-busy=false]").nth(before).wait_for(timeout=ANSWER_MS)
    page.wait_for_selector("#cw-send", state="visible")


def picture(page: Page, folder: Path, name: str) -> None:
    """Take `page-NAME.png` once everything has come to rest."""
    page.wait_for_timeout(900)
    path = folder / f"page-{name}.png"
    page.screenshot(path=str(path))
    print(path)


def on_a_desk(browser: Browser, address: str, folder: Path) -> None:
    """Start, sources, answer, the card on a citation, its article, a follow-up, a refusal."""
    with tab(browser, address, viewport={"width": 1280, "height": 860}) as opened:
        page = opened.page
        page.wait_for_selector(".cw-hello")
        picture(page, folder, "start")
        page.fill("#cw-question textarea", QUESTION)
        page.press("#cw-question textarea", "Enter")
        page.wait_for_selector(".cw-card", timeout=ANSWER_MS)
        picture(page, folder, "sources")
        page.wait_for_selector(".cw-turn[aria-busy=false]", timeout=ANSWER_MS)
        picture(page, folder, "answer")
        page.hover(".cw-turn .cw-chip >> nth=0")
        picture(page, folder, "citation")
        page.click(".cw-turn .cw-chip >> nth=0")
        page.wait_for_selector(".cw-hit")
        page.mouse.move(2, 2)
        picture(page, folder, "article")
        ask(page, FOLLOW_UP)
        picture(page, folder, "follow-up")
        ask(page, UNANSWERABLE)
        picture(page, folder, "refusal")
        page.click("#cw-clear")
        page.wait_for_selector(".cw-hello")
        ask(page, AMBIGUOUS)
        picture(page, folder, "ambiguous")
        page.fill("#cw-question textarea", QUESTION)
        page.press("#cw-question textarea", "Enter")
        page.wait_for_selector(".cw-busy")
        with tab(
            browser, address, viewport={"width": 1280, "height": 860}
        ) as second:  # one that waits its turn
            second.page.wait_for_selector(".cw-hello")
            second.page.fill("#cw-question textarea", FOLLOW_UP)
            second.page.press("#cw-question textarea", "Enter")
            second.page.wait_for_selector(".cw-busy")
            second.page.screenshot(path=str(folder / "page-waiting.png"))
            second.page.click("#cw-stop")
            second.page.wait_for_selector(".cw-stopped")
            picture(second.page, folder, "stopped")


def elsewhere(browser: Browser, address: str, folder: Path) -> None:
    """The same answer with its article open in dark mode, and at the width of a phone."""
    for name, options in (("dark", {"color_scheme": "dark"}), ("phone", PHONE)):
        with tab(browser, address, **options) as opened:
            page = opened.page
            page.wait_for_selector(".cw-hello")
            ask(page, QUESTION)
            if name == "dark":
                page.click(".cw-turn .cw-chip >> nth=0")
                page.wait_for_selector(".cw-hit")
                page.mouse.move(2, 2)
            picture(page, folder, name)


FERRY = "<html><head><title>Ferry starts</title><meta property='og:site_name' content='Harbour Post'></head><body><article>{}</article></body></html>"
DROPPED = [
    ("ferry.html", FERRY.format("<p>The ferry to the island started on Monday, said the mayor.</p>" * 4)),
    ("scan.pdf", "%PDF-1.4 cut off"),
]


def other_tabs(browser: Browser, address: str, folder: Path) -> None:
    """The articles, after two files were dropped there, and the conversations that were kept."""
    with tab(browser, address, viewport={"width": 1280, "height": 860}) as opened:
        page = opened.page
        page.wait_for_selector(".cw-hello")
        ask(page, QUESTION)
        page.get_by_role("tab", name="Articles").click()
        page.wait_for_selector(".cw-item")
        files: list[FilePayload] = [
            {"name": name, "mimeType": "text/plain", "buffer": text.encode()} for name, text in DROPPED
        ]
        page.set_input_files("#cw-drop input[type=file]", files)
        page.wait_for_selector(".cw-done", timeout=ANSWER_MS)
        picture(page, folder, "articles")
        page.get_by_role("tab", name="History").click()
        page.wait_for_selector(".cw-kept")
        picture(page, folder, "conversations")
        page.get_by_role("tab", name="Settings").click()
        page.wait_for_selector("#cw-settings")
        picture(page, folder, "settings")
        page.get_by_role("tab", name="Quality").click()
        page.wait_for_selector(".cw-quality")
        picture(page, folder, "quality")


def report(browser: Browser, folder: Path) -> None:
    """The plots of the gate's report, and the beginning of its comparison with the accepted run."""
    with tab(browser, REPORT.resolve().as_uri(), viewport={"width": 1180, "height": 1150}) as opened:
        opened.page.get_by_role("heading", name="Plots").evaluate("heading => heading.scrollIntoView()")
        opened.page.screenshot(path=str(folder / "report.png"))


def screenshots(folder: Path) -> None:
    """Make all pictures in `folder`, over a copy of the articles. Raises `CitewireError` when models are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        copy = Path(made)
        given = load_settings()
        shutil.copytree(given.seeds, copy / "seeds")
        settings = given.with_options(seeds=copy / "seeds", index=copy / "index")
        build(settings, MiniLM(find_model(settings.embedding, settings), threads=settings.threads))
        assistant, sessions = Assistant.open(settings), Sessions(copy / "data")
        try:
            assistant.warm()
            page = serve(assistant, port=free_port(), sessions=sessions)
            with chromium() as browser:
                on_a_desk(browser, page.local_url, folder)
                elsewhere(browser, page.local_url, folder)
                other_tabs(browser, page.local_url, folder)
                report(browser, folder)
            page.close()
        finally:
            assistant.close()
            sessions.close()


if __name__ == "__main__":
    screenshots(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
