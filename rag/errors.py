"""The errors a user can meet. One base class; each is raised where the fact is known.

The message names the thing, the place and the next command, because it is printed as it stands:
the command line and the page show `str(error)` and nothing else.
"""


class CitewireError(Exception):
    """Base of every error that is the user's to solve. `exit_status` is the process exit status of the command line."""

    exit_status = 1


class ConfigError(CitewireError):
    """A setting is missing, unknown or out of range."""

    exit_status = 2


class ArticleError(CitewireError):
    """One article file cannot be read; the others can."""


class UnreadableError(ArticleError):
    """The system does not let one article file be read now; what was read of it before still holds."""


class CorpusError(CitewireError):
    """The folder of articles is missing or holds nothing to index."""


class StoreError(CitewireError):
    """The index is missing, damaged, locked, or was made by other settings."""


class ModelError(CitewireError):
    """A model file is missing, damaged or not what its hash says, or its runtime failed."""


class GenerationError(CitewireError):
    """The generator died, ran out of time or returned what it must not."""


class StoppedError(CitewireError):
    """The reader pressed Stop or Ctrl-C."""

    exit_status = 130


class QuestionError(CitewireError):
    """The question is empty or too long to be one."""

    exit_status = 2


def missing_extra(what: str, extra: str) -> ConfigError:
    """The error for what needs packages of an extra that is not installed."""
    return ConfigError(
        f"{what} needs another package; run: .venv/bin/pip install -c constraints.txt -e '.[{extra}]'"
    )
