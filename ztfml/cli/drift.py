"""The option ``--report`` of the commands that apply a model: how a night differs from training."""

import json
from pathlib import Path

import click

from ztfml.cli.options import PATH

_TABLES, _FIGURES = (".csv", ".json"), (".png", ".pdf", ".svg")
_MOST_PANELS = 12


def _check_suffixes(ctx, param, value):
    for path in value:
        if path.suffix.lower() not in (*_TABLES, *_FIGURES):
            raise click.BadParameter(
                f"{path}: the file name must end in {', '.join((*_TABLES, *_FIGURES))}"
            )
    return value


report_option = click.option(
    "--report", type=PATH, multiple=True, metavar="FILE", callback=_check_suffixes,
    help="Write how the features differ from the training data: a table (.csv, .json) or a figure "
    "(.png, .pdf, .svg); can be repeated.",
)  # fmt: skip


class DriftReport:
    """Compare nights with the training data of a model, and write the result.

    Parameters
    ----------
    model : Model
    files : sequence of Path
        Files to write; without any, nothing is computed.
    out : ztfml.cli.printing.Printer
    """

    def __init__(self, model, files, out):
        self.model, self.files, self.out, self.nights = model, files, out, []

    def predict(self, night):
        """Predict a night, and compare it with the training data if a report was requested."""
        if not self.files:
            return self.model.predict(night)
        from ztfml.evaluation.drift import describe_drift

        table = self.model.all_features(night)
        predictions = self.model.predict(night, table=table)
        drift = self.model.drift(table, predictions)
        self.nights.append((night.name, len(night), describe_drift(drift, len(night)), drift))
        return predictions

    def write(self):
        """Write the files."""
        for path in self.files:
            kind = path.suffix.lower()
            {".csv": self._csv, ".json": self._json}.get(kind, self._figure)(path)

    def say(self):
        """Print a sentence for each night and the names of the files."""
        for name, _, sentence, _ in self.nights:
            self.out.say(f"{name}: {sentence}")
        for path in self.files:
            self.out.say(path)

    def _csv(self, path):
        import pandas as pd

        from ztfml.io.parquet import write_table

        tables = [drift.assign(night=name) for name, _, _, drift in self.nights]
        table = pd.concat(tables, ignore_index=True)
        write_table(table[["night", *table.columns.drop("night")]], path)

    def _json(self, path):
        from ztfml.io.atomic import write_beside

        found = [
            {"night": name, "alerts": n, "summary": sentence, "features": drift.to_dict("records")}
            for name, n, sentence, drift in self.nights
        ]
        with write_beside(path) as part:
            part.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")

    def _figure(self, path):
        from ztfml import plots

        shown = self.nights[:_MOST_PANELS]
        fig, axes = plots.figure(len(shown), width=9.0, height=5.5, n_columns=min(len(shown), 2))
        for ax, (name, _, sentence, drift) in zip(axes, shown, strict=True):
            plots.drift(ax, drift, f"{Path(name).stem}: {sentence}")
        plots.save(fig, path)
