"""songmap: what a music collection sounds like, in 641 named numbers a song.

The public interface. Every name is imported when it is first used, so that ``import songmap`` itself is quick.

=============================  ======================================================================================
``analyse_file``               one audio file: samples, frame features, the embedding ``(641,)``, its tags
``load_library``               what ``01_feature_extraction.py`` saved: ``embeddings (n_songs, 641)`` and ``songs``
``describe``                   embeddings ``(n, 641)`` to the 157 descriptors ``(n, 157)`` that songs are compared by
``DESCRIPTORS``                the name, family, unit and formula of each of the 157
``search``                     similar songs, and why they are similar
``load_genre_model``           the classifier that ``03_genre_classifier.py`` saved
``load_recording_classifier``  the classifier of segments that ``05_classify_recording.py`` saved, for any recording
``compare_models``             models and features on the same folds, of a library or of any CSV file, as a ``Comparison``
``Workspace``                  a folder with ``data/ models/ outputs/``, and the path of every file in it
=============================  ======================================================================================

Examples
--------
These run on the workspace that ``make demo`` leaves in the folder ``demo``.

>>> import songmap
>>> library = songmap.load_library("demo")
>>> library.embeddings.dtype, library.embeddings.shape[1]
(dtype('float32'), 641)
>>> sorted(library.songs["genre"].unique())
['ITALODANCE', 'TRANCE']

One file, from the library or not:

>>> song = songmap.analyse_file(library.songs["file_path"].iloc[0])
>>> song.embedding.shape
(641,)
>>> bool(abs(song.embedding - library.embeddings[0]).max() == 0)
True

The descriptors have names and units:

>>> songmap.describe(library.embeddings).shape[1] == len(songmap.DESCRIPTORS)
True
>>> [(one.name, one.unit) for one in songmap.DESCRIPTORS if one.family == "rhythm"][2]
('tempo', 'BPM')

Similar songs, as a DataFrame with the most similar first:

>>> similar = songmap.search(library).similar(library.songs["song_name"].iloc[0], n=3)
>>> list(similar["rank"])
[1, 2, 3]

Genres of any files, by the saved classifier:

>>> predictions = songmap.load_genre_model("demo").predict([library.songs["file_path"].iloc[0]])
>>> len(predictions)
1

Which model is best, and is it really better? The scores are sorted, the most accurate first:

>>> comparison = songmap.compare_models("demo", models=["lda", "knn"], features=["descriptors"], n_repeats=1)
>>> sorted(one.model for one in comparison.scores)
['knn', 'lda', 'majority']
>>> all(0 <= one.equivalent <= 1 for one in comparison.differences)
True
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from songmap.compare.run import compare_models
    from songmap.core.workspace import Workspace
    from songmap.features.analysis import analyse_file
    from songmap.genre.predict import load_genre_model
    from songmap.library.descriptors import DESCRIPTORS, describe
    from songmap.library.library import load_library
    from songmap.recording.run import load_recording_classifier
    from songmap.similar.run import search

__version__ = "0.6.1"

__all__ = [
    "DESCRIPTORS",
    "Workspace",
    "__version__",
    "analyse_file",
    "compare_models",
    "describe",
    "load_genre_model",
    "load_library",
    "load_recording_classifier",
    "search",
]

_MODULES = {
    "DESCRIPTORS": "songmap.library.descriptors",
    "Workspace": "songmap.core.workspace",
    "analyse_file": "songmap.features.analysis",
    "compare_models": "songmap.compare.run",
    "describe": "songmap.library.descriptors",
    "load_genre_model": "songmap.genre.predict",
    "load_library": "songmap.library.library",
    "load_recording_classifier": "songmap.recording.run",
    "search": "songmap.similar.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module, once (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'songmap' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
