"""Charts of the report, in the coordinates of ``songmap.core.svg``; ``report.css`` gives their classes colours."""

from collections.abc import Mapping, Sequence

from songmap.core import svg
from songmap.core.svg import Chart
from songmap.core.text import count_of_songs, percent, signed
from songmap.genre.comparison_results import CandidateScores
from songmap.genre.results import ConfusionMatrix, FamilyMeans, GenreScores, Reliability
from songmap.genre.song_results import BoundarySong, SongExplanation
from songmap.genre.views.sentences import song_label
from songmap.library.schema import FAMILIES

_LABEL = 112.0  # width of a genre's name, at most
_N_BOUNDARY = 15
_LEAST_CELL, _MOST_CELL = 15, 44
_SHADE = 0.75  # opacity of the strongest cell: text on it stays legible


def confusion_chart(matrix: ConfusionMatrix) -> Chart:
    """Rows are genres of the library, columns predicted ones; colour is the share of the row's songs."""
    genres, names = matrix.genres, [svg.fitted(genre, _LABEL) for genre in matrix.genres]
    margin = max(map(svg.text_width, names)) + 8
    cell = max(_LEAST_CELL, min(_MOST_CELL, (svg.WIDTH - margin) / len(genres)))
    marks = []
    for index, name in enumerate(names):
        centre = margin + (index + 0.5) * cell
        marks += [svg.text(margin - 5, centre + 4, name, anchor="end"), svg.upward(centre + 4, margin - 5, name)]
    for row, counts in enumerate(matrix.counts):
        for column, count in enumerate(counts):
            x, y, share = margin + column * cell, margin + row * cell, count / max(1, sum(counts))
            tip = f"{count} of {sum(counts)} {genres[row]} predicted as {genres[column]}"
            marks.append(svg.rect((x, y, cell - 1, cell - 1), "cell", opacity=_SHADE * share, tip=tip))
            if count:
                marks.append(svg.text(x + cell / 2, y + cell / 2 + 4, str(count), anchor="middle"))
    size = margin + cell * len(genres)
    n_songs = count_of_songs(sum(map(sum, matrix.counts)))
    which = "test songs" if matrix.split == "test" else "cross-validation"
    return Chart(f"Confusion matrix of {n_songs}, {which}", max(svg.WIDTH, size), size, marks)


def genres_chart(genres: Sequence[GenreScores]) -> Chart:
    """Recall and precision of every genre in cross-validation, as bars."""
    marks, start, step = [], 118.0, 30.0
    scale = svg.WIDTH - start - 42
    for row, one in enumerate(genres):
        y = row * step
        marks.append(svg.text(start - 6, y + 17, svg.fitted(one.genre, _LABEL), anchor="end"))
        for place, (share, style) in enumerate(((one.recall, "strong"), (one.precision, "weak"))):
            top = y + 4 + place * 11
            what = "recall" if style == "strong" else "precision"
            marks.append(svg.rect((start, top, scale * share, 9), style, tip=f"{one.genre}: {what} {percent(share)}"))
            marks.append(svg.text(start + scale * share + 4, top + 8, percent(share), small=True))
    return Chart("Recall and precision of every genre", svg.WIDTH, step * len(genres), marks)


def reliability_chart(reliability: Reliability) -> Chart:
    """Accuracy over the probability of the predicted genre; calibrated probabilities are on the diagonal."""
    left, top, width, height = 54.0, 8.0, 284.0, 190.0

    def place(confidence: float, accuracy: float) -> tuple[float, float]:
        return left + width * confidence, top + height * (1 - accuracy)

    marks = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        (x, bottom), (_, y) = place(share, 0), place(0, share)
        marks += [svg.line(x, top, x, bottom, "grid"), svg.line(left, y, left + width, y, "grid")]
        marks += [
            svg.text(x, bottom + 14, percent(share), anchor="middle"),
            svg.text(left - 5, y + 4, percent(share), anchor="end"),
        ]
    marks.append(svg.line(*place(0, 0), *place(1, 1), "diagonal"))
    for one in reliability.bins:
        (x, low), (_, high) = place(one.confidence, one.accuracy_low), place(one.confidence, one.accuracy_high)
        between = f"{percent(one.accuracy_low)} to {percent(one.accuracy_high)}"
        tip = f"{count_of_songs(one.songs)}: probability {percent(one.confidence)}, right {percent(one.accuracy)} ({between})"
        marks += [svg.line(x, low, x, high, "interval"), svg.circle(*place(one.confidence, one.accuracy), tip)]
    marks.append(svg.text(left + width / 2, top + height + 32, "probability of the predicted genre", anchor="middle"))
    marks.append(svg.upward(10, top + height / 2, "share that is right", anchor="middle"))
    return Chart("Accuracy by predicted probability", svg.WIDTH, top + height + 38, marks)


def candidates_chart(candidates: Sequence[CandidateScores], used: str) -> Chart:
    """Log loss and accuracy of every candidate with 95 % intervals, the smallest log loss on top."""
    most = max(one.songs for one in candidates)
    worst = max(one.log_loss_high for one in candidates)
    step, top, width = 34.0, 18.0, 160.0
    marks = [
        svg.text(4, 10, "log loss, lower is better", small=True),
        svg.text(svg.WIDTH / 2 + 10, 10, "accuracy", small=True),
    ]
    for row, one in enumerate(sorted(candidates, key=lambda one: one.log_loss)):
        y, style = top + row * step, "used" if one.model == used else "other"
        songs = f" ({count_of_songs(one.songs)})" if one.songs < most else ""
        marks.append(
            svg.text(4, y + 12, f"{svg.fitted(one.title, svg.WIDTH - 10 - svg.text_width(songs))}{songs}", style=style)
        )
        for start, ends, value, text in (
            (4.0, (one.log_loss_low / worst, one.log_loss_high / worst), one.log_loss / worst, f"{one.log_loss:.2f}"),
            (svg.WIDTH / 2 + 10, (one.accuracy_low, one.accuracy_high), one.accuracy, percent(one.accuracy)),
        ):
            low, high, at = (start + width * value for value in (*ends, value))
            marks += [
                svg.line(start, y + 23, start + width, y + 23, "grid"),
                svg.line(low, y + 23, high, y + 23, f"interval {style}"),
                svg.circle(at, y + 23, f"{one.title}: {text}", style),
            ]
    bottom = top + step * len(candidates) + 10
    for x, text in (
        (4, "0"),
        (4 + width, f"{worst:.2g}"),
        (svg.WIDTH / 2 + 10, "0 %"),
        (svg.WIDTH / 2 + 10 + width, "100 %"),
    ):
        marks.append(
            svg.text(x, bottom, text, anchor="end" if x > 100 and x != svg.WIDTH / 2 + 10 else "start", small=True)
        )
    return Chart("Log loss and accuracy of every candidate", svg.WIDTH, bottom + 4, marks)


def families_chart(families: Sequence[FamilyMeans]) -> Chart:
    """Points of probability that each family adds towards a genre: a row a genre, a column a family."""
    margin, top, height = 118.0, 30.0, 26.0
    cell = (svg.WIDTH - margin) / len(FAMILIES)
    largest = max(0.5, *(abs(points) for one in families for points in one.points.values()))
    marks = [
        svg.text(margin + (column + 0.5) * cell, 11 + 12 * (column % 2), family, anchor="middle", small=True)
        for column, family in enumerate(FAMILIES)
    ]
    for row, one in enumerate(families):
        y = top + row * height
        marks.append(svg.text(margin - 6, y + 17, svg.fitted(one.genre, _LABEL), anchor="end"))
        for column, family in enumerate(FAMILIES):
            points, x = one.points[family], margin + column * cell
            style = "towards" if points > 0 else "away"
            tip = f"{family}: {signed(points, 1)} points towards {one.genre}"
            shade = _SHADE * abs(points) / largest
            marks.append(svg.rect((x, y, cell - 1, height - 1), style, opacity=shade, tip=tip))
            marks.append(svg.text(x + cell / 2, y + 17, signed(points), anchor="middle"))
    return Chart("What each family adds towards every genre", svg.WIDTH, top + height * len(families), marks)


def song_chart(song: SongExplanation) -> Chart:
    """From the mean probability of the background to a song's, family by family, largest first."""
    start, step, left = song.background[song.predicted_genre], 24.0, 68.0
    edges = [start]
    for one in song.families:
        edges.append(edges[-1] + one.adds)
    low, high = min(edges), max(edges)
    scale = (svg.WIDTH - left - 44) / max(high - low, 0.01)
    places = [left + (edge - low) * scale for edge in edges]
    marks = [svg.line(places[0], 0, places[0], step * len(song.families), "diagonal")]
    for row, one in enumerate(song.families):
        first, last, y = *sorted(places[row : row + 2]), row * step
        style, tip = "towards" if one.adds > 0 else "away", f"{one.family}: {signed(100 * one.adds, 1)} points"
        marks += [
            svg.text(left - 6, y + 16, one.family, anchor="end"),
            svg.rect((first, y + 4, max(last - first, 1), 16), style, tip=tip),
            svg.text(last + 4, y + 16, signed(100 * one.adds)),
        ]
    scale_text = f"{percent(edges[0])} on average (dotted) → {percent(edges[-1])} for this song"
    marks.append(svg.text(left - 6, step * len(song.families) + 15, scale_text))
    return Chart(
        f"Probability of {song.predicted_genre}, family by family", svg.WIDTH, step * len(song.families) + 20, marks
    )


def boundary_chart(songs: Sequence[BoundarySong], colours: Mapping[str, str]) -> Chart:
    """Probabilities of the songs between genres as bars in the genres' colours; the most probable are named."""
    step, marks = 46.0, []
    for row, song in enumerate(songs[:_N_BOUNDARY]):
        y, x = row * step, 0.0
        ranked = sorted(song.probabilities.items(), key=lambda item: -item[1])
        likely = ", ".join(f"{svg.fitted(genre, _LABEL)} {percent(proba)}" for genre, proba in ranked[:2])
        genre = f" [{svg.fitted(song.genre, _LABEL)}]"
        name = f"{svg.fitted(song_label(song), svg.WIDTH - svg.text_width(genre))}{genre}"
        marks += [svg.text(0, y + 11, name), svg.text(0, y + 24, likely, small=True)]
        for genre, proba in song.probabilities.items():
            width = svg.WIDTH * proba
            marks.append(
                svg.Mark("rect", {"x": f"{x:.1f}", "y": y + 28, "width": f"{width:.1f}", "height": 10, "fill": colours[genre]},
                     tip=f"{genre} {percent(proba)}")
            )  # fmt: skip
            x += width
    return Chart("Probabilities of songs between genres", svg.WIDTH, step * len(songs[:_N_BOUNDARY]), marks)
