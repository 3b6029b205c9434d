# Citewire as a container: the page, or `rag serve`. Not verified yet: nobody has built it where this was developed, which has
# no container engine. Versions are held to constraints.txt by tests/test_containers.py.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE app.py ./
COPY rag rag
COPY eval eval
# llama.cpp is compiled for any processor of this kind, not for the one that builds
ENV CMAKE_ARGS="-DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF -DGGML_NATIVE=OFF"
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -c constraints.txt ".[serve,milvus,mcp]"

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --uid 1000 citewire
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER citewire
ENV PATH=/venv/bin:$PATH HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 GRADIO_ANALYTICS_ENABLED=False
# /data holds the articles, the index and the models: rag models get minilm, then reader, then default
ENV CITEWIRE_SEEDS=/data/seeds CITEWIRE_INDEX=/data/index CITEWIRE_CACHE=/data/cache CITEWIRE_DATA=/data/private
VOLUME /data
EXPOSE 8000 7860
CMD ["rag", "serve", "--host", "0.0.0.0"]
