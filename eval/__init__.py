"""The evaluation suite: it enters by the front door (`rag.assistant`, `rag.schema`) and judges with gold spans only."""
