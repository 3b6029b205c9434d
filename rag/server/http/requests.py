"""The schema of chat requests, the parts of it that are not supported, and the question in the messages."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.answering.render import IN_SHORT, UNDERSTOOD
from rag.codec import turn_of_dict
from rag.errors import QuestionError
from rag.schema import Turn
from rag.server.http.failures import Failure
from rag.text.words import words

MODEL = "citewire"  # the model name for the configured model
LEFT_OUT = "Only the text of the question was read: pictures, sound and files are not."


class Part(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="ignore")
    type: str = "text"
    text: str | None = None


class Message(BaseModel):
    """A message of a chat. Only what users and assistants say in words is read."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Part | list[Part | str] | None = None

    def _parts(self) -> list[Part | str]:
        return self.content if isinstance(self.content, list) else [self.content or ""]

    def words(self) -> str:
        """Its text, a line for each part."""
        texts = [p if isinstance(p, str) else p.text or "" for p in self._parts()]
        # half of a character, as a client sends it that cuts texts anywhere, is none
        return "\n".join(filter(None, texts)).encode("utf-8", "replace").decode()

    @property
    def holds_more(self) -> bool:
        """Whether a part of it is no text."""
        return any(isinstance(p, Part) and p.text is None for p in self._parts())


class StreamOptions(BaseModel):
    """How an answer is streamed."""

    model_config = ConfigDict(extra="ignore")
    include_usage: bool | None = None


class ResponseFormat(BaseModel):
    """The form of the answer's text: `text`, or `json_object` for all of the answer (docs/answer.md)."""

    model_config = ConfigDict(extra="ignore")
    type: str


class Chat(BaseModel):
    """A question, with the messages before it. Settings of sampling and length, and tools that may be called, are accepted
    and change nothing."""

    model_config = ConfigDict(extra="ignore")
    model: str | None = Field(MODEL, max_length=200)
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    n: int | None = None
    logprobs: bool | None = None
    tool_choice: str | dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    modalities: list[str] | None = None

    @property
    def wants_json(self) -> bool:
        """Whether the text of the answer is to be JSON."""
        return self.response_format is not None and self.response_format.type == "json_object"

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with what was used."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @property
    def left_out(self) -> str:
        """What is said of a question that holds more than text; "" for one that does not."""
        asked = [m for m in self.messages if m.role == "user"]
        return LEFT_OUT if asked and asked[-1].holds_more else ""

    def question(self) -> tuple[str, tuple[Turn, ...]]:
        """The question and what was asked before it. Raises `Failure` for what is not done here, `QuestionError` where
        nothing is asked."""
        for name, is_wanted, why in (
            ("n", self.n is not None and self.n != 1, "a question has one answer"),
            ("logprobs", self.logprobs, "they are not known of an answer"),
            (
                "response_format",
                self.response_format and self.response_format.type not in ("text", "json_object"),
                "the text of an answer is text or json_object, which is all of it (docs/answer.md); "
                "no other schema is filled",
            ),
            ("tool_choice", self.tool_choice not in (None, "none", "auto"), "no tool is called here"),
            ("function_call", self.function_call not in (None, "none", "auto"), "no function is called here"),
            ("modalities", self.modalities and set(self.modalities) != {"text"}, "an answer is text"),
        ):
            if is_wanted:
                raise Failure(400, f"{name}: {why}; leave it out", "unsupported")
        question, turns = turns_of([(m.role, m.words()) for m in self.messages])
        if not question.strip() and self.left_out:
            raise Failure(400, "pictures are not read, nor sound and files; ask in words", "unsupported")
        return question, turns

    def usage(self, text: str) -> dict[str, int]:
        """The size of the request and of the answer `text`. It is counted in words: several models, or none, make an
        answer, and they cut tokens differently."""
        read = sum(len(words(m.words())) for m in self.messages)
        wrote = len(words(text))
        return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


def turns_of(messages: Sequence[tuple[str, str]]) -> tuple[str, tuple[Turn, ...]]:
    """The question and what was asked before it, of a chat's (role, text) messages. What systems and tools say is not obeyed
    and not read, nor is an assistant that says nothing but calls a tool.

    Raises `QuestionError` where the last message is not a user's.
    """
    said = [(r, text) for r, text in messages if r == "user" or (r == "assistant" and text.strip())]
    if not said or said[-1][0] != "user":
        raise QuestionError("the last message must be a question of the user")
    turns: list[Turn] = []
    for (role, text), (next_role, reply) in pairwise(said):
        if role != "user" or next_role != "assistant":
            continue
        turns.append(_turn(text, reply))
    return said[-1][1], tuple(turns)


def _turn(question: str, reply: str) -> Turn:
    """An earlier question with what was answered, as text or as `json_object`."""
    if reply.startswith("{"):
        try:
            return turn_of_dict(json.loads(reply))
        except (ValueError, KeyError, TypeError):
            pass  # not an answer of ours: words like any other
    understood = question
    if reply.startswith(UNDERSTOOD):
        line, _, reply = reply.partition("\n")
        understood = line.removeprefix(UNDERSTOOD)
    shown = reply.split("\n\n")[0].replace(f"\n{IN_SHORT}", "\n")
    return Turn(question, understood, re.sub(r"\s*(?:\[\d+\])+", "", shown))
