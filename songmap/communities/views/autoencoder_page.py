"""An autoencoder as one page that needs nothing else; ``autoencoder.html`` is the template."""

import base64
import io
from itertools import pairwise
from typing import Any

import numpy as np

from songmap.communities.autoencoder_results import AutoencoderReport, Example, Pictures, Traversal
from songmap.communities.views import autoencoder_sentences as sentences
from songmap.core import svg
from songmap.core.figures import SEQUENTIAL_MAP
from songmap.core.pages import page_table, render
from songmap.core.svg import Chart
from songmap.core.text import capitalised, quantity, readable
from songmap.spectrogram.excerpts import FLOOR_DB

SHOWN = ("original", "autoencoder", "pca", "mean")


def autoencoder_page(report: AutoencoderReport, pictures: Pictures, clusters_page: str) -> str:
    """The page; ``clusters_page`` is the name of the page of clusters in the same folder."""
    rows, kept = sentences.score_rows(report.scores), {one.method: one.numbers for one in report.scores}
    captions = {"original": "original", "autoencoder": f"autoencoder, {kept['autoencoder']:,} numbers",
                "pca": f"principal components, {kept['pca']:,}", "mean": "mean spectrogram"}  # fmt: skip
    page = render(
        "communities/views/autoencoder.html",
        title=f"How well a {sentences.MODEL_NAMES[report.settings['model']]} reconstructs",
        summary=[
            sentences.main_sentence(report), sentences.latent_sentence(report), sentences.training_sentence(report),
        ],
        warnings=[capitalised(one) for one in sentences.warnings(report)],
        examples=[
            (name, _time(example.start_s), _panels(example, captions))
            for name, example in zip(pictures.names, pictures.examples, strict=True)
        ],
        traversals=[_traversal(one) for one in pictures.traversals],
        charts=curves(report),
        is_variational=report.settings["model"] == "vae",
        tables={
            "scores": page_table(rows, headings={}),
            "latents": page_table(
                sentences.latent_rows(), headings={},
                marked=[row["--latent"] == report.settings["latent"] for row in sentences.latent_rows()],
            ),
            "settings": page_table(
                [{"setting": name, "value": str(value)} for name, value in report.settings.items()], headings={}
            ),
        },
        excerpt_s=f"{report.excerpt_s:.1f}",
        grouped_by=report.grouped_by,
        clusters_page=clusters_page,
    )  # fmt: skip
    return readable(page)


def _time(start_s: float) -> str:
    return f"{int(start_s) // 60}:{int(start_s) % 60:02d}"


def _panels(example: Example, captions: dict[str, str]) -> list[dict[str, str]]:
    return [
        {
            "caption": captions[name],
            "image": _image(getattr(example, name)),
            "sound": _data("audio/flac", example.sounds[name]) if name in example.sounds else "",
        }
        for name in SHOWN
    ]


def _traversal(one: Traversal) -> dict[str, Any]:
    steps = [f"{step:+.0f} SD" if step else "mean" for step in one.steps]
    images = [_image(values) for values in one.spectrograms]
    return {
        "caption": f"Number {one.number + 1} of the code (variance {quantity(one.variance)})",
        "images": [(step.replace("-", "−"), image) for step, image in zip(steps, images, strict=True)],
    }


def _image(decibels: np.ndarray) -> str:
    """A spectrogram as PNG, a pixel per band and frame, low bands at the bottom."""
    from matplotlib.image import imsave

    stream = io.BytesIO()
    imsave(
        stream, decibels, vmin=FLOOR_DB, vmax=0, cmap=SEQUENTIAL_MAP, origin="lower", format="png",
        metadata={"Software": None},
    )  # fmt: skip
    return _data("image/png", stream.getvalue())


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def curves(report: AutoencoderReport) -> list[tuple[str, Chart]]:
    """Loss, error and, of a VAE, divergence by epochs."""
    epochs = report.epochs
    charts = [
        ("Loss", {"other": [one.loss for one in epochs], "used": [one.validation_loss for one in epochs]}),
        ("Error in dB", {"used": [one.validation_rmse_db for one in epochs]}),
    ]
    divergences = [one.divergence for one in epochs if one.divergence is not None]
    if divergences:
        charts.append(("Divergence from the prior, nats per excerpt", {"used": divergences}))
    return [(title, _curve_chart(title, lines, report.best_epoch)) for title, lines in charts]


def _curve_chart(title: str, lines: dict[str, list[float]], best: int) -> Chart:
    left, top, width, height = 46.0, 8.0, 302.0, 120.0
    values = [value for line in lines.values() for value in line]
    low, high, most = min(values), max(values), max(2, len(next(iter(lines.values()))))
    span = (high - low) or 1.0

    def place(epoch: int, value: float) -> tuple[float, float]:
        return left + width * (epoch - 1) / (most - 1), top + height * (high - value) / span

    marks = []
    for value in (low, (low + high) / 2, high):
        y = place(1, value)[1]
        label = (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}").replace("-", "−")
        marks += [
            svg.line(left, y, left + width, y, "grid"),
            svg.text(left - 4, y + 4, label, anchor="end", small=True),
        ]
    for epoch in sorted({1, (1 + most) // 2, most}):
        marks.append(svg.text(place(epoch, low)[0], top + height + 14, str(epoch), anchor="middle", small=True))
    for style, line in lines.items():
        points = [place(epoch, value) for epoch, value in enumerate(line, 1)]
        marks += [svg.line(*before, *after, style) for before, after in pairwise(points)]
    used = lines["used"][best - 1]
    marks.append(svg.circle(*place(best, used), f"epoch {best}: {used:.4g}", "used"))
    marks.append(svg.text(left + width / 2, top + height + 28, "epoch", anchor="middle", small=True))
    return Chart(f"{title} by epochs", svg.WIDTH, top + height + 34, marks)
