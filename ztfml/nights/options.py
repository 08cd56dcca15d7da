"""How a batch runs. This module imports nothing, so the command line starts quickly."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How a batch runs.

    Parameters
    ----------
    jobs : int
        Number of nights at the same time on this computer.
    scheduler : str, optional
        Address (``tcp://...``) or JSON file of the scheduler of a Dask cluster.
    prepare : bool
        Whether to compile the code and check the model on every worker before the first night.
    again : bool
        Whether to process nights again that are done.
    """

    jobs: int = 1
    scheduler: str | None = None
    prepare: bool = False
    again: bool = False
