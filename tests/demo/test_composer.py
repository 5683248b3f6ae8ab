"""What the composer writes is music: in key, in time, in form, and the same for the same seed."""

import dataclasses
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songmap.demo.catalogue import ARTISTS, ITALODANCE, SUFFIXES, TRANCE, plan_corpus
from songmap.demo.composer import FORMS, Score, compose, strikes
from songmap.demo.harmony import SCALES, Key, chord_steps, lead_voices, nearest_in

ROOTS = st.lists(st.integers(0, 6), min_size=1, max_size=8)


@pytest.fixture(scope="module", params=[42, 7])
def scores(request: pytest.FixtureRequest) -> list[Score]:
    return [compose(plan) for plan in plan_corpus(request.param)]


def test_the_corpus_is_balanced() -> None:
    plans = plan_corpus(42)
    assert Counter(plan.artist.genre for plan in plans if not plan.artist.hybrid) == {ITALODANCE: 24, TRANCE: 24}
    assert Counter(plan.artist.genre for plan in plans if plan.artist.hybrid) == {ITALODANCE: 2, TRANCE: 2}
    assert set(Counter(plan.artist.name for plan in plans if not plan.artist.hybrid).values()) == {4}
    assert Counter(plan.suffix for plan in plans) == dict.fromkeys(SUFFIXES, 13)
    assert [plan.index for plan in plans] == list(range(52))


def test_every_genre_has_every_format_equally_often() -> None:
    assert set(Counter((plan.artist.genre, plan.suffix) for plan in plan_corpus(42)).values()) <= {6, 7}


def test_paths_are_unique_portable_and_not_only_ascii() -> None:
    paths = [plan.path for plan in plan_corpus(42)]
    assert len({path.casefold() for path in paths}) == 52
    assert all(path.count("/") == 1 and not set(path) & set('<>:"\\|?*') for path in paths)
    assert "ITALODANCE/Luna Veloce - Città di Notte.mp3" in paths


def test_no_two_artists_sound_the_same() -> None:
    sounds = [dataclasses.replace(artist, name="", albums=(), tempo_bpm=(0, 0)) for artist in ARTISTS]
    assert len(set(sounds)) == len(sounds) == 14


def test_genres_share_tempos_and_modes() -> None:
    plans = plan_corpus(42)
    tempos = {g: [p.tempo_bpm for p in plans if p.artist.genre == g] for g in (ITALODANCE, TRANCE)}
    assert min(tempos[TRANCE]) < max(tempos[ITALODANCE])
    assert min(tempos[ITALODANCE]) < max(tempos[TRANCE])
    assert len(set(tempos[TRANCE]) & set(tempos[ITALODANCE])) >= 5
    for genre in (ITALODANCE, TRANCE):
        assert {p.key.mode for p in plans if p.artist.genre == genre} == {"minor", "major"}


def test_every_note_is_in_key_and_in_a_playable_range(scores: list[Score]) -> None:
    for score in scores:
        for part, notes in score.notes.items():
            assert {note.pitch % 12 for note in notes} <= score.plan.key.pitch_classes
            low, high = (28, 62) if part == "bass" else (45, 100)
            assert all(low <= note.pitch <= high for note in notes), part


def test_every_note_and_hit_is_within_the_track(scores: list[Score]) -> None:
    for score in scores:
        assert 40 <= score.duration_s <= 60
        for note in (note for notes in score.notes.values() for note in notes):
            assert 0 <= note.start < note.start + note.length <= score.n_beats
            assert 0 < note.velocity <= 1
        assert all(0 <= hit.start < score.n_beats and 0 < hit.velocity <= 1.2 for hit in score.hits)


def test_kicks_are_four_on_the_floor(scores: list[Score]) -> None:
    for score in scores:
        kicks = {hit.start for hit in score.hits if hit.drum == "kick"}
        assert all(start == int(start) for start in kicks)
        for start, section in score.starts():
            beats = {float(beat) for beat in range(start, start + 4 * section.n_bars)}
            missing = beats - kicks
            # where there are kicks, only the very last beat may give way to a fill
            assert missing <= ({max(beats)} if section.has("kick") else beats)
            assert section.has("kick") or missing == beats


def test_every_track_has_a_hook_and_a_rest_from_the_drums(scores: list[Score]) -> None:
    for score in scores:
        assert any(section.has("lead") and section.has("kick") for section in score.sections)
        assert any(not section.has("kick") for section in score.sections)
        assert score.notes["lead"]
        assert score.notes["bass"]


def test_forms_are_those_that_artists_use() -> None:
    assert {artist.form for artist in ARTISTS} == set(FORMS)
    for artist in ARTISTS:
        if not artist.hybrid and artist.form != "mixed":
            assert artist.form == ("song" if artist.genre == ITALODANCE else "journey")


def test_same_seed_same_score_other_seed_other_score() -> None:
    first, again, other = (compose(plan_corpus(seed)[5]) for seed in (1, 1, 2))
    assert first == again
    assert first.notes != other.notes


def test_a_hook_comes_back() -> None:
    """A A A B: the first three pairs of bars have one rhythm."""
    score = compose(plan_corpus(42)[0])
    start = next(start for start, section in score.starts() if section.has("lead") and not section.has("double"))
    onsets = [note.start - start for note in score.notes["lead"] if start <= note.start < start + 32]
    pairs = [[onset - 8 * pair for onset in onsets if 8 * pair <= onset < 8 * (pair + 1)] for pair in range(3)]
    assert pairs[0] == pairs[1] == pairs[2]
    assert len(pairs[0]) >= 4


def test_strikes_reads_lengths() -> None:
    assert list(strikes("x--o..x-")) == [(0, 3, "x"), (3, 1, "o"), (6, 2, "x")]


@pytest.mark.parametrize(("key", "name", "tonic"), [(Key(9, "minor"), "Am", 69), (Key(6, "major"), "F#", 66)])
def test_keys(key: Key, name: str, tonic: int) -> None:
    assert key.name == name
    assert key.pitch(0, 60) == tonic
    assert key.pitch(7, 60) - key.pitch(0, 60) == 12
    assert [key.pitch(degree, 60) - tonic for degree in range(7)] == list(SCALES[key.mode])


@given(ROOTS, st.booleans())
def test_voices_are_chord_tones_and_move_little(roots: list[int], seventh: bool) -> None:
    chords = lead_voices(roots, seventh=seventh)
    for root, chord in zip(roots, chords, strict=True):
        assert {degree % 7 for degree in chord} <= set(chord_steps(root, seventh=seventh))
        assert list(chord) == sorted(set(chord))
    for before, after in pairwise(chords):
        assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 3


@given(st.integers(0, 6), st.integers(-20, 20))
def test_nearest_in_finds_a_chord_tone_within_two_steps(root: int, degree: int) -> None:
    found = nearest_in(chord_steps(root), degree)
    assert found % 7 in chord_steps(root)
    assert abs(found - degree) <= 2
