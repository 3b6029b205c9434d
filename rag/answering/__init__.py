"""Answering: the way of a question to a verified answer. `pipeline` tells it."""
