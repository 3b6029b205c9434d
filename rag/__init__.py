"""Citewire: questions over a folder of news articles, every sentence checked against the line it cites.

`rag.assistant.Assistant` is the front door; everything it returns is a value of `rag.schema`.
"""

__version__ = "0.1.0"
