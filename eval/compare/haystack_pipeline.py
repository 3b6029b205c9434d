"""A Haystack pipeline for questions with references, of the components and defaults that its documentation shows. Run by
`python -m eval.compare` in an environment of its own, where this project is not installed; it knows nothing of it.

Reads a line of JSON from standard input, an object: `model` (GGUF file), `embedding` (folder), `articles` (folder),
`threads`; then a question a line, as JSON. Writes one JSON line a question: `text`, `sources` (texts by number, from 1),
`seconds`. One question is asked before, and not counted, so that no time holds the loading of the models.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HAYSTACK_TELEMETRY_ENABLED="False")

TEMPLATE = """Answer the question in one or two full sentences, using only the numbered documents. After each sentence put the \
number of the document that says it in brackets, for example: The sky is blue [1]. If the documents do not contain the \
answer, say that they do not.

Documents:

{% for document in documents %}
[{{ loop.index }}] {{ document.content }}

{% endfor %}
Question: {{ question }}"""


def main():
    """See the module."""
    from haystack import Document, Pipeline
    from haystack.components.builders import AnswerBuilder, ChatPromptBuilder
    from haystack.components.embedders import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
    from haystack.components.writers import DocumentWriter
    from haystack.dataclasses import ChatMessage
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack_integrations.components.generators.llama_cpp import LlamaCppChatGenerator

    given = json.loads(sys.stdin.readline())
    store = InMemoryDocumentStore()
    indexing = Pipeline()
    indexing.add_component("split", DocumentSplitter(split_by="word", split_length=200))
    indexing.add_component(
        "embed", SentenceTransformersDocumentEmbedder(model=given["embedding"], progress_bar=False)
    )
    indexing.add_component("write", DocumentWriter(store))
    indexing.connect("split", "embed")
    indexing.connect("embed", "write")
    files = sorted(Path(given["articles"]).glob("*.txt"))
    documents = [Document(content=f.read_text("utf-8"), meta={"name": f.name}) for f in files]
    indexing.run({"split": {"documents": documents}})

    asking = Pipeline()
    asking.add_component(
        "embed", SentenceTransformersTextEmbedder(model=given["embedding"], progress_bar=False)
    )
    asking.add_component("retrieve", InMemoryEmbeddingRetriever(store, top_k=3))
    asking.add_component(
        "prompt",
        ChatPromptBuilder([ChatMessage.from_user(TEMPLATE)], required_variables=["documents", "question"]),
    )
    asking.add_component(
        "write",
        LlamaCppChatGenerator(
            model=given["model"],
            n_ctx=4096,
            model_kwargs={"n_threads": given["threads"], "n_gpu_layers": 0, "verbose": False},
            generation_kwargs={"max_tokens": 256, "temperature": 0.0},
        ),
    )
    asking.add_component(
        "answer", AnswerBuilder(reference_pattern=r"\[(\d+)\]", return_only_referenced_documents=False)
    )
    asking.connect("embed.embedding", "retrieve.query_embedding")
    asking.connect("retrieve.documents", "prompt.documents")
    asking.connect("prompt.prompt", "write.messages")
    asking.connect("write.replies", "answer.replies")
    asking.connect("retrieve.documents", "answer.documents")

    def ask(question):
        made = asking.run(
            {"embed": {"text": question}, "prompt": {"question": question}, "answer": {"query": question}}
        )
        return made["answer"]["answers"][0]

    ask("What are the articles about?")
    for line in sys.stdin:
        question = json.loads(line)
        started = time.monotonic()
        found = ask(question)
        seconds = time.monotonic() - started
        row = {"text": found.data, "sources": [d.content for d in found.documents], "seconds": seconds}
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


main()
