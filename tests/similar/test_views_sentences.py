"""The words of results: transitions, families, titles."""

import pytest

from songmap.library.keys import NO_KEY
from songmap.similar.transitions import transitions
from songmap.similar.views.sentences import transition_words
from tests.similar.test_transitions import key, tracks_of


@pytest.mark.parametrize(
    ("tempo", "to_key", "words"),
    [
        (126, "9A", "tempo 128 → 126 BPM (-1.6 %), key 8A → 9A compatible, similarity 0.71"),
        (64.6, "3B", "tempo 128 → 65 BPM (half, +0.9 %), key 8A → 3B clashes, similarity 0.71"),
        (128, "9B", "tempo 128 → 128 BPM (+0.0 %), key 8A → 9B close, similarity 0.71"),
        (256, "8A", "tempo 128 → 256 BPM (double, +0.0 %), key 8A → 8A compatible, similarity 0.71"),
        (100, None, "tempo 128 → 100 BPM (-21.9 %, too far to match), key unknown, similarity 0.71"),
        (0, "8B", "tempo unknown, key 8A → 8B compatible, similarity 0.71"),
    ],
)
def test_words_of_a_transition(tempo, to_key, words):
    tracks = tracks_of([1, 0.71], [128, tempo], [key("8A"), NO_KEY if to_key is None else key(to_key)])
    assert transition_words(transitions(tracks, [0, 1])[0]) == words
