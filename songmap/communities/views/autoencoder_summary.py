"""What 08 prints of autoencoders: the report of one, the table of a grid."""

from typing import Any

from songmap.communities.autoencoder_results import AutoencoderReport, GridReport
from songmap.communities.views import autoencoder_sentences as sentences
from songmap.core.tables import format_table
from songmap.core.text import one_line, shown_path, wrapped


def autoencoder_tables(report: AutoencoderReport) -> str:
    """Everything about one but the answer, for the terminal."""
    lines = [sentences.latent_sentence(report), sentences.training_sentence(report)]
    lines += [f"Limit: {one}" for one in sentences.warnings(report)]
    written = [one_line(f"{shown_path(one.path)}: {one.content}") for one in report.written]
    return "\n\n".join([
        _lines(lines),
        format_table(sentences.score_rows(report.scores), "Reconstruction of test songs", optional=("of an excerpt",)),
        "\n".join(written),
    ])  # fmt: skip


def grid_summary(report: GridReport) -> str:
    """The answer and the table."""
    title = "The grid; validation songs choose, test songs decide nothing"
    table = format_table(grid_rows(report), title, optional=("epochs", "cosine distance"))
    paths = "\n".join(one_line(f"{one.content.capitalize()}: {shown_path(one.path)}") for one in report.written)
    return "\n".join([_lines([sentences.grid_sentence(report)]), table, paths])


def grid_rows(report: GridReport) -> list[dict[str, Any]]:
    """A row per point."""
    return [
        {
            "batch": one.batch,
            "rate": f"{one.learning_rate:g}",
            "epochs": one.epochs,
            "in use": one.best_epoch,
            "validation loss": f"{one.validation_loss:.4f}".replace("-", "−"),
            "validation dB": f"{one.validation_rmse_db:.2f}",
            "dB, test": f"{one.rmse_db:.2f}",
            "cosine distance": f"{one.cosine_distance:.4f}",
            "": "smallest loss" if place == report.best else "",
        }
        for place, one in enumerate(report.points)
    ]


def _lines(lines: list[str]) -> str:
    return "\n".join(wrapped(one_line(line)) for line in lines if line)
