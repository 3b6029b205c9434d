"""An answer as JSON and back: the published form as docs/answer.md has it, the kept form equal, and older ones still read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from rag.codec import SCHEMA, CodecError, answer_of, answer_to_json, article_of, decode, encode, row_of
from rag.schema import Answer, Reason, State, Statement, Status, Timings, Verdict
from tests.answering.test_render import ANSWER as SHOWN
from tests.answering.test_render import ARTICLE, BODY, EVIDENCE
from tests.ui.test_sessions import ANSWER


def test_json_holds_every_documented_field_and_no_other() -> None:
    item = json.loads(answer_to_json(SHOWN))
    documented = (Path(__file__).parent.parent / "docs" / "answer.md").read_text("utf-8")
    assert item["schema"] == SCHEMA
    for name in [*item, *item["statements"][0], *item["evidence"][0]]:
        assert f"`{name}`" in documented or f".{name}`" in documented, f"{name} is not in docs/answer.md"


def test_json_evidence_is_a_slice_of_the_article() -> None:
    evidence = json.loads(answer_to_json(SHOWN))["evidence"][0]
    assert BODY[evidence["start"] : evidence["end"]] == evidence["text"] == "The meeting lasted two hours."
    assert evidence["context"] == [{"start": 0, "end": 19, "text": "Envoys met in Doha."}]
    assert evidence["published"] == "2024-05-03" and evidence["publisher"] is None
    assert evidence["answer"] == {"start": 39, "end": 48, "text": "two hours"}
    unknown = replace(SHOWN, evidence=(replace(EVIDENCE, answer=None),))
    assert json.loads(answer_to_json(unknown))["evidence"][0]["answer"] is None


def test_a_published_answer_is_read_back_over_its_articles() -> None:
    row = json.loads(answer_to_json(SHOWN))
    assert answer_of(row, {ARTICLE.path: ARTICLE}) == SHOWN
    timed = replace(SHOWN, timings=Timings(0.12345), confidence=0.98765)
    assert answer_of(json.loads(answer_to_json(timed)), {ARTICLE.path: ARTICLE}) == replace(
        SHOWN, timings=Timings(0.123), confidence=0.988
    )
    del row["evidence"][0]["answer"], row["sureness"]  # an answer of an older program
    assert answer_of(row, {ARTICLE.path: ARTICLE}).evidence == (replace(EVIDENCE, answer=None),)
    with pytest.raises(ValueError, match="has changed since"):
        answer_of(row, {ARTICLE.path: replace(ARTICLE, version="2")})
    for articles, wrong in (({}, row), ({ARTICLE.path: ARTICLE}, row | {"statements": 3})):
        with pytest.raises(ValueError, match="not an answer over these articles"):
            answer_of(wrong, articles)


def test_a_kept_answer_comes_back_equal() -> None:
    text, bodies = encode(ANSWER)
    assert {"sureness", "first_settled_s"} <= set(re.findall(r"\w+", text)), "stored names never change"
    assert len(bodies) == 1 and "It “fell” later" not in text, "the article is kept apart, once"
    assert decode(text, bodies) == ANSWER
    bare = Answer("q", "q", Status.FAILED, error="broke")
    assert decode(*encode(bare)) == bare


def test_what_an_older_program_kept_is_still_read() -> None:
    text, bodies = encode(ANSWER)
    stored = json.loads(text)
    stored["answer"] |= {"status": "partial", "others": ["How high was it in May?"]}
    stored["answer"]["statements"][1]["verdict"]["reason"] = "negation"
    key = "abababababababab:news.jsonl#7"
    assert set(bodies) == {key}
    body = json.loads(bodies[key])
    del body["copy_of"]
    found = decode(json.dumps(stored), {key: json.dumps(body | {"dateline": "Valencia"})})
    assert found.status is Status.ANSWERED and found.evidence[0].article.copy_of == ""
    assert found.statements[1] == Statement(
        2, "Five.", (), State.WITHHELD, Verdict(False, Reason.SUPPORT, "Five")
    )


@pytest.mark.parametrize("text", ["", "{}", '{"answer": 3}', '{"answer": {"question": 1}}', "[]"])
def test_what_is_no_answer_is_an_error(text: str) -> None:
    with pytest.raises(CodecError):
        decode(text, {})
    whole, _ = encode(ANSWER)
    with pytest.raises(CodecError):
        decode(whole, {})
    stored = json.loads(whole)
    stored["answer"]["statements"][0]["state"] = "sold"
    with pytest.raises(CodecError):
        decode(json.dumps(stored), encode(ANSWER)[1])


def test_an_article_comes_back_equal_and_passes_over_what_else_a_row_holds() -> None:
    assert article_of(json.loads(json.dumps(row_of(ARTICLE))) | {"chunks": 3}) == ARTICLE
