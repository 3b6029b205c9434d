"""LlamaIndex's CitationQueryEngine, as its documentation shows it. Run by `python -m eval.compare` in an environment of its
own, where this project is not installed; it knows nothing of it.

Reads a line of JSON from standard input, an object: `model` (GGUF file), `embedding` (folder), `articles` (folder),
`threads`; then a question a line, as JSON. Writes one JSON line a question: `text`, `sources` (texts by number, from 1),
`seconds`. One question is asked before, and not counted, so that no time holds the loading of the models.
"""

import json
import os
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", ANONYMIZED_TELEMETRY="False")


def chat(messages, completion=None):
    """Qwen's ChatML, which the model was trained on."""
    text = "".join(f"<|im_start|>{m.role.value}\n{m.content}<|im_end|>\n" for m in messages)
    return f"{text}<|im_start|>assistant\n"


def complete(prompt):
    """The same for a prompt that is no conversation."""
    system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    return f"{system}<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"


def main():
    """See the module."""
    from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
    from llama_index.core.query_engine import CitationQueryEngine
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.llms.llama_cpp import LlamaCPP

    given = json.loads(sys.stdin.readline())
    Settings.embed_model = HuggingFaceEmbedding(model_name=given["embedding"])
    Settings.llm = LlamaCPP(
        model_path=given["model"],
        temperature=0.0,
        max_new_tokens=256,
        context_window=4096,
        generate_kwargs={},
        model_kwargs={"n_threads": given["threads"], "n_gpu_layers": 0},
        messages_to_prompt=chat,
        completion_to_prompt=complete,
        verbose=False,
    )
    documents = SimpleDirectoryReader(given["articles"], required_exts=[".txt"]).load_data()
    engine = CitationQueryEngine.from_args(
        VectorStoreIndex.from_documents(documents), similarity_top_k=3, citation_chunk_size=512
    )
    engine.query("What are the articles about?")
    for line in sys.stdin:
        question = json.loads(line)
        started = time.monotonic()
        response = engine.query(question)
        seconds = time.monotonic() - started
        sources = [node.node.get_content() for node in response.source_nodes]
        row = {"text": str(response), "sources": sources, "seconds": seconds}
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


main()
