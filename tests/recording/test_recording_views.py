"""What people read of a recording: sentences, tables, the picture."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from recorded import answer, near, part, training

from songmap.core.figures import figure_style
from songmap.core.workspace import Workspace
from songmap.library.traits import Trait
from songmap.recording.members import IMAGE_MEMBER, MEMBERS
from songmap.recording.views.layers import layers, tick_times_s
from songmap.recording.views.output import write_answer, write_chapters, write_next_songs
from songmap.recording.views.sentences import answer_sentence, notes, reasons_sentence
from songmap.recording.views.summary import answer_summary, training_summary
from songmap.recording.views.timeline_figure import timeline_figure
from songmap.recording.views.training import training_data_sentence, training_sentence

FOURTEEN = [f"GENRE {number:02d}" for number in range(14)]


@pytest.mark.parametrize(
    ("spans", "sentence"),
    [
        ([("A", 240)], r"Battle – Ann sounds like A \(83 %\) throughout\."),
        ([("A", 20)], r"Battle – Ann sounds like A \(\d\d %\)\."),
        ([("A", 60), ("B", 120)], r"Battle – Ann is A until 1:00, then B\."),
        (
            [("A", 72), ("B", 160), ("A", 400)],
            r"Battle – Ann is mostly A \(78 % of the time\), with B from 1:12 to 2:40\.",
        ),
        ([("B", 60), ("A", 400)], r"Battle – Ann is mostly A \(85 % of the time\), with B until 1:00\."),
        ([("A", 300), ("B", 400)], r"Battle – Ann is mostly A \(75 % of the time\), with B from 5:00 on\."),
        (
            [(genre, 100 * (place + 1)) for place, genre in enumerate("AAABACADABACA")],
            r"Battle – Ann is mostly A .*, with B in 2 parts \(15 %\), C in 2 parts \(15 %\) and D in 1 part \(8 %\)\.",
        ),
        (
            [(genre, 100 * (place + 1)) for place, genre in enumerate("ABCDEABCDE")],
            r"Battle – Ann changes genre 9 times: A \(20 % of the time\), .* and 2 other genres\.",
        ),
    ],
)
def test_one_sentence_says_which_genre_and_when(spans, sentence):
    assert re.fullmatch(sentence, answer_sentence(answer(list("ABCDE"), spans)))


def test_neighbouring_parts_of_one_genre_are_one_in_the_sentence():
    by_sound = answer(["A", "B"], [("A", 400), ("A", 900), ("B", 1500)], parts_by="sound")
    assert answer_sentence(by_sound) == "Battle – Ann is mostly A (60 % of the time), with B from 15:00 on."


def test_what_is_unlike_the_library_leads():
    novel = answer(["A", "B"], [("A", 240)], novelty_distance=2.31)
    assert answer_sentence(novel).startswith("Battle – Ann sounds like nothing in the library; the nearest genre is A")
    assert "2.31" in notes(novel)[0] and "1.40" in notes(novel)[0]
    assert "For A:" not in answer_summary(novel, {})


def test_undecided_recordings_are_between_genres():
    undecided = answer(["A", "B", "C"], [("A", 30)], probabilities={"A": 0.45, "B": 0.2, "C": 0.35})
    assert answer_sentence(undecided) == "Battle – Ann is between genres: A (45 %) and C (35 %) are the nearest."


def test_notes_name_parts_unlike_the_library_training_and_traits():
    one = answer(
        ["A", "B"], [("A", 60), ("B", 120)], in_training=True, in_library="/x", traits=(Trait("tempo", "low", 3),)
    )
    one = replace(one, parts=(one.parts[0], replace(one.parts[1], is_novel=True)))
    first, second, third = notes(one)
    assert first == "Unlike anything in the library: 1:00–2:00."
    assert "trained on this recording" in second
    assert third == "Compared with the library it is slow."
    assert "(B)" in answer_summary(one, {})


def test_reasons_are_families_in_points():
    assert reasons_sentence(part(0, 9, "A")) == "For A: rhythm adds 31 points; mel subtracts 2 points."
    assert "No family" in reasons_sentence(part(0, 9, "A", families=()))


@pytest.mark.parametrize("spans", [[("A", 240)], [("A", 60), ("B", 130), ("A", 240)]])
def test_the_answer_for_a_song_fits_a_terminal(monkeypatch, spans):
    monkeypatch.setenv("COLUMNS", "80")
    one = answer(["A", "B"], spans, traits=tuple(Trait(name, "high", 99) for name in ("tempo", "onsets", "pulse")),
                 in_training=True)  # fmt: skip
    written = {name: Path(f"outputs/recording.{name}") for name in ("page", "picture", "parts")}
    lines = answer_summary(one, written).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= (23 if len(spans) == 1 else 30)
    assert [line.split()[0] for line in lines if line.startswith("    ")] == ["1", "2", "3", "4", "5"]


def test_songs_that_are_missing_are_explained():
    few = answer(["A"], [("A", 60)], next_songs=(near(),), other_artists_missing=True)
    assert "A has too few artists" in answer_summary(few, {})
    nothing = answer(["A"], [("A", 60)], next_songs=())
    assert "no other song of A to hear next" in answer_summary(nothing, {})


def test_the_training_says_what_a_random_split_would_have_claimed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert training_sentence(training()) == (
        "Segments split at random would have claimed 94 %; on songs by other artists it is 77 %, because other "
        "segments of the same song were in the training data."
    )
    assert "because" not in training_sentence(training(0.94, 0.94))
    assert "on other songs it is" in training_sentence(training(group_by="song"))
    assert "48 more are of" in training_summary(training(n_augmented=48))
    joined = replace(training(n_augmented=48), members=(*MEMBERS, IMAGE_MEMBER))
    assert training_data_sentence(joined).endswith(" degraded copies of these songs, which the cnn was not trained on.")
    summary = training_summary(training())
    assert max(map(len, summary.splitlines())) <= 80
    rows = [line.split() for line in summary.splitlines() if " %  " in line]
    assert [row[0] for row in rows] == ["network", "network", "XGBoost", "XGBoost", "joined", "joined", "Shrinkage"]
    assert [" ".join(row[1:3]) for row in rows[:2]] == ["by artist", "at random"]


def test_layers_sum_to_one_and_small_genres_are_others():
    one = answer(FOURTEEN, [("GENRE 01", 100), ("GENRE 02", 240)])
    times_s, stack = layers(one, FOURTEEN)
    assert (times_s[0], times_s[-1]) == (0, 240)
    assert [layer.name for layer in stack] == ["GENRE 02", "GENRE 01", "12 others"]
    assert sum(layer.share for layer in stack) == pytest.approx(1)
    for values in ([layer.smoothed for layer in stack], [layer.raw for layer in stack]):
        np.testing.assert_allclose(sum(values), 1)


def test_colours_are_those_of_the_library_also_of_a_genre_without_classifier():
    one = answer(["B", "C"], [("B", 60)])
    with_a, without = layers(one, ["A", "B", "C"])[1], layers(one, ["B", "C"])[1]
    assert with_a[0].colour == layers(answer(["A", "B"], [("B", 60)]), [])[1][0].colour != without[0].colour


@pytest.mark.parametrize(("duration_s", "most"), [(3, 7), (70, 7), (240, 11), (7200, 7), (200_000, 7)])
def test_ticks_are_few_and_round(duration_s, most):
    ticks = tick_times_s(duration_s, most)
    assert ticks[0] == 0 and 2 <= len(ticks) <= most and ticks[-1] < duration_s


@pytest.mark.parametrize(
    ("genres", "spans"),
    [
        (["A", "B"], [("A", 8)]),
        (["A", "B"], [("A", 100), ("B", 240)]),
        (FOURTEEN, [(genre, 100 * (place + 1)) for place, genre in enumerate(FOURTEEN)]),
        (["A", "B"], [("AB"[place % 2], 300 * (place + 1)) for place in range(24)]),
    ],
)
def test_the_picture_is_readable(genres, spans):
    """Nothing overlaps: title, parts, areas, axis and legend are one below the other, and labels are inside of parts."""
    import matplotlib

    matplotlib.use("Agg")
    with matplotlib.rc_context(figure_style()):
        figure = timeline_figure(answer(genres, spans), genres)
        figure.draw_without_rendering()
    strip, axis, raw = figure.axes
    (legend,) = figure.legends
    boxes = [one.get_window_extent() for one in (*figure.texts, strip, axis, raw, legend)]
    for above, below in pairwise(boxes):
        assert above.y0 >= below.y1
    assert boxes[-1].y1 <= raw.xaxis.label.get_window_extent().y0
    assert legend.get_window_extent().x0 >= 0 and legend.get_window_extent().x1 <= figure.bbox.x1
    assert len(legend.get_texts()) == len(layers(answer(genres, spans), genres)[1])
    for text in strip.texts:
        box = text.get_window_extent().transformed(strip.transData.inverted())
        assert any(one.start_s <= box.x0 and box.x1 <= one.end_s for one in answer(genres, spans).parts)


def test_chapters_and_tables_hold_names_from_tags_safely(tmp_path):
    workspace = Workspace(tmp_path)
    one = answer(["A", "B"], [("A", 60), ("B", 4000)])
    hostile = near("=cmd|' /C calc'!A0\nnext line")
    one = replace(one, parts=(replace(one.parts[0], nearest=(hostile,)), one.parts[1]))
    written = write_answer(workspace, "x", one, training(), ["A", "B"], "spreadsheet")
    assert "'=cmd" in written["parts"].read_text(encoding="utf-8")
    chapters = write_chapters(workspace, "x", one).read_text(encoding="utf-8").splitlines()
    assert [line[:10] for line in chapters] == ["00:00:00 A", "00:01:00 B"]
    assert chapters[1] == "00:01:00 B, 120 BPM, nearest: Elf Land – Ann"


def test_a_playlist_has_each_song_once(tmp_path):
    one = answer(["A"], [("A", 60)], next_songs=(near("One", file_path="/m/1.mp3"), near("Two", file_path="/m/2.mp3")))
    write_next_songs(tmp_path / "next.m3u8", [one, one])
    assert (tmp_path / "next.m3u8").read_text(encoding="utf-8").count("#EXTINF") == 2
