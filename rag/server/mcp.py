"""The tools of the Model Context Protocol over standard input and output: "ask" and "search", for a program that starts this one.

It does not change answers. Only the protocol may write to standard output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.answering.render import answer_to_text
from rag.assistant import Assistant
from rag.codec import answer_to_dict, passage_to_dict
from rag.errors import CitewireError, missing_extra

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP

MOST_PASSAGES = 50


def make_tools(assistant: Assistant) -> FastMCP:
    """The server; `run("stdio")` serves until its input ends. Raises `ConfigError` where a package is missing."""
    try:
        from mcp.server.fastmcp import FastMCP
        from mcp.server.fastmcp.exceptions import ToolError
    except ImportError:
        raise missing_extra("rag mcp", "mcp") from None

    server = FastMCP(
        "citewire",
        instructions="Questions, in English, over a folder of articles. Statements were checked against the sentences they cite: keep"
        " the numbers in brackets and their sources, and say so where the articles do not answer.",
        log_level="ERROR",
    )

    @server.tool()
    def ask(question: str) -> dict[str, Any]:
        """Answer a question from the articles. `text` is the answer with its sources, `answer` all of it: each statement with
        the numbers of the sentences it cites, those sentences with article, publisher, date, place and the words that answer,
        and whether the articles disagree. `answer.status` is "unanswered" where the articles do not say, and
        "notice" where nothing was asked of them."""
        try:
            found = assistant.ask(question)
        except CitewireError as error:
            raise ToolError(str(error)) from None
        if found.error:
            raise ToolError(found.error)
        return {"text": answer_to_text(found), "answer": answer_to_dict(found)}

    @server.tool()
    def search(query: str, limit: int = 10) -> list[dict[str, Any]]:
        """The passages of the articles that fit a query best, with article, publisher, date and place, best first."""
        try:
            return [passage_to_dict(p) for p in assistant.search(query, max(1, min(limit, MOST_PASSAGES)))]
        except CitewireError as error:
            raise ToolError(str(error)) from None

    return server
