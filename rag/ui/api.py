"""What other programs may ask of the page, over Gradio's own interface and as tools of the Model Context Protocol."""

from __future__ import annotations

from typing import Any

from rag.assistant import Assistant
from rag.codec import answer_to_dict, passage_to_dict
from rag.errors import CitewireError
from rag.ui.session import refusal_of


def offer(assistant: Assistant) -> None:
    """Offer "ask" and "search" of `assistant`. Their names and docstrings are what a tool's user reads."""
    import gradio as gr

    def ask(question: str) -> dict[str, Any]:
        """Answer a question from the articles, every statement checked against the sentence it cites.

        Args:
            question: At most 2,000 characters, in English, about what the articles report.

        Returns:
            The answer as JSON of schema citewire.answer/1 (docs/answer.md): statements with the numbers of the evidence they
            cite, the evidence with article and characters, and what is missing where the articles do not say it.
        """
        if refusal := refusal_of(question, 0):
            raise gr.Error(refusal, print_exception=False)
        try:
            return answer_to_dict(assistant.ask(question))
        except CitewireError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def search(query: str, limit: int = 5) -> list[dict[str, Any]]:
        """Find the passages of the articles that fit a query best, by words and by meaning. No model writes anything.

        Args:
            query: Words or a question.
            limit: How many passages, 1 to 50.

        Returns:
            Passages, best first: the article's id and facts, the characters of its text, the text, its rank by meaning
            (dense_rank) and by words (lexical_rank).
        """
        try:
            return [passage_to_dict(p) for p in assistant.search(query, max(1, min(50, int(limit))))]
        except CitewireError as error:
            raise gr.Error(str(error), print_exception=False) from None

    gr.api(ask, api_name="ask", concurrency_id="model")
    gr.api(search, api_name="search", concurrency_limit=4)
