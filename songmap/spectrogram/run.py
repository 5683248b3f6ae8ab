"""What 07 calls: train and evaluate a network, and predict genres of files by a trained one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from songmap.core.errors import AudioError
from songmap.core.progress import OnProgress
from songmap.core.workspace import Workspace
from songmap.genre.predict import files_to_classify
from songmap.library.library import load_library
from songmap.spectrogram.cache import build_excerpts
from songmap.spectrogram.deep import require_torch
from songmap.spectrogram.excerpts import excerpts_of
from songmap.spectrogram.results import NetworkReport, Prediction
from songmap.spectrogram.settings import FittingOptions
from songmap.spectrogram.views.files import write_files, write_images


def train_network(
    workspace: Workspace | Path | str, options: FittingOptions | None = None, on_progress: OnProgress | None = None
) -> NetworkReport:
    """Train a network that classifies genres by spectrograms, evaluate it beside other models, and write the page.

    Parameters
    ----------
    workspace : Workspace or path
        The folder that holds ``data/ models/ outputs/``. Every epoch is kept there: a run that is stopped goes on.
    options : FittingOptions, optional
    on_progress : callable (done, total), optional
        Of songs whose excerpts are computed, then of fits of the other models, then of epochs.

    Raises
    ------
    UsageError
        Where torch is not installed, or the library cannot be trained on.
    """
    require_torch()
    from songmap.spectrogram.fitting import fit_network

    workspace = Workspace.at(workspace)
    library = load_library(workspace)
    report = fit_network(workspace, library, options or FittingOptions(), on_progress or (lambda done, total: None))
    return replace(report, written=[*write_files(workspace, report), *report.written])


def export_images(
    workspace: Workspace, kind: str, workers: int, on_progress: OnProgress | None = None
) -> tuple[Path, int]:
    """Write the library's excerpts as PNG to ``outputs/spectrograms/KIND/GENRE``; the folder, and how many there are.

    Needs no torch. ``on_progress`` is called with songs whose excerpts are computed, then with songs that are written.
    """
    library = load_library(workspace)
    excerpts = build_excerpts(workspace, library, kind, on_progress, workers)
    folder = workspace.outputs / "spectrograms" / kind
    return folder, write_images(folder, library.songs, excerpts, on_progress or (lambda done, total: None))


def predict_files(
    workspace: Workspace | Path | str, name: str, files: Sequence[Path | str]
) -> Iterator[tuple[Path, Prediction | AudioError]]:
    """Predict genres of files by a network that was trained.

    Parameters
    ----------
    workspace : Workspace or path
    name : str
        ``image``, ``frames``, ``frames_mfcc`` or ``residual``.
    files : sequence of path
        Files, and folders of which all audio files are taken.

    Yields
    ------
    file : Path
    Prediction, or AudioError
        The error where a file cannot be decoded, is too short or silent.
    """
    require_torch()
    from songmap.spectrogram.trained import load_network

    trained = load_network(Workspace.at(workspace), name)
    for file in files_to_classify([Path(file) for file in files]):
        try:
            values, start_s = excerpts_of(file, trained.kind)
        except AudioError as error:
            yield file, error
            continue
        proba = trained.predict_proba(values)
        mean = proba.mean(axis=0)
        yield (
            file,
            Prediction(
                str(file),
                trained.genres[int(mean.argmax())],
                dict(zip(trained.genres, mean.tolist(), strict=True)),
                trained.settings.kind.length_s,
                start_s,
                proba,
            ),
        )
