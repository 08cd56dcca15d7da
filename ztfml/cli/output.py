"""Check the outputs of a command before its work, and write tables to files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Parameters of commands that name a file or folder to write.
OUTPUTS = ("output", "plot", "report", "label_output")
# Commands that write the labels of a night.
WRITE_LABELS = ("label", "cuts")
# Files of the folder of a classifier or a ranking.
_MODEL_FILES = ("model.txt", "card.json", "README.md", "ranking.toml")


def check_outputs(command: str, parameters: dict[str, Any]) -> None:
    """Refuse outputs of a command that are inputs, or that cannot be written.

    Parameters
    ----------
    command : str
        The name of the command.
    parameters : dict
        Its parameters. Each path is an input, except those of `OUTPUTS`.
    """
    outputs = [path for name in OUTPUTS for path in _paths(parameters.get(name))]
    if not outputs:
        return
    from ztfml.io.output_paths import check_writable, refuse_inputs

    rest = {name: value for name, value in parameters.items() if name not in OUTPUTS}
    nights = [path for name in ("night", "nights") for path in _paths(rest.get(name))]
    inputs = [*nights]
    for night in nights:
        inputs += _files_of(night, command not in WRITE_LABELS)
    for path in _paths(rest):
        # Of a folder of packets or of a model, only some files are inputs.
        inputs += [path / name for name in _MODEL_FILES] if path.is_dir() else [path]
    for output in outputs:
        # Folders of models have checks of their own.
        if output.suffix:
            check_writable(output)
    refuse_inputs([*outputs, *_written_beside(command, outputs[0])], inputs)
    for k in range(1, len(outputs)):
        refuse_inputs(outputs[k - 1 : k], outputs[k:])


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, dict):
        yield from _paths(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _paths(one)


def _files_of(night: Path, with_labels: bool) -> list[Path]:
    """Return the files beside a night that an output must not replace."""
    from ztfml.io.companions import companion, forced_beside, history_beside, labels_beside

    files = [history_beside(night), forced_beside(night), companion(night, "_marks.csv")]
    return [*files, labels_beside(night)] if with_labels else files


def _written_beside(command: str, output: Path) -> list[Path]:
    """Return the files that a command writes beside its output."""
    from ztfml.io.companions import companion, forced_beside, history_beside

    if command in ("ingest", "history_night"):
        skipped = companion(output, ".skipped.csv")
        return [history_beside(output), forced_beside(output), skipped]
    if command == "label":
        return [conflicts_beside(output)]
    return []


def conflicts_beside(labels: Path) -> Path:
    """Return the file of the conflicts that belong to a label file."""
    return labels.with_name(f"{labels.stem.removesuffix('_labels')}_conflicts.csv")
