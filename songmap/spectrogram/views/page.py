"""The evaluation of a network as one page that needs nothing else; ``network.html`` is the template."""

from songmap.compare.views.charts import best_confusion_chart
from songmap.core.pages import page_table, render
from songmap.core.text import capitalised, readable
from songmap.spectrogram.results import JOINED, NETWORK, NetworkReport
from songmap.spectrogram.views import charts, sentences, summary

_HEADINGS = {"behind": "points behind the best", "p Holm": "p-value, Holm"}


def network_page(report: NetworkReport) -> str:
    """The page."""
    genres = [one.genre for one in report.data.genres]
    rows = summary.score_rows(report)
    shown = [one for one in report.confusion if one.model in (NETWORK, JOINED)] + [
        one for one in report.confusion if (one.model, one.features) == report.partner
    ]
    page = render(
        "spectrogram/views/network.html",
        title="Genres by spectrograms",
        summary=[
            sentences.main_sentence(report), sentences.network_sentence(report), sentences.joined_sentence(report),
            sentences.difference_sentence(report), sentences.data_sentence(report), sentences.split_sentence(report),
        ],
        warnings=[capitalised(one) for one in sentences.warnings(report)],
        curves=charts.training_chart(report),
        highest_loss=charts.cut_at(report),
        confusions=[
            (capitalised(sentences.variant_name(report, one.model, one.features)), best_confusion_chart(one, genres))
            for one in shown
        ],
        tables={
            "scores": page_table(rows, headings=_HEADINGS, marked=[place == 0 for place in range(len(rows))]),
            "genres": page_table(summary.genre_rows(report), headings=_HEADINGS),
            "curves": page_table(summary.curve_rows(report), headings=_HEADINGS),
            "settings": page_table(
                [{"setting": name, "value": str(value)} for name, value in report.settings.items()], headings={}
            ),
        },
        device=report.device,
        seed=report.seed,
    )  # fmt: skip
    return readable(page)
