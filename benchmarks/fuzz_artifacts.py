"""Forged artifacts by the thousand: each is loaded, or refused in one line.

    python -m benchmarks.fuzz_artifacts [ARTIFACT ...] [--files N] [--seed SEED]

A workspace of a few songs has every artifact once. One is changed by one to four kinds of damage: to the file as it
is, or to what is in it, put back under right checksums, those of the archive and that of the manifest. What is loaded
is used as scripts use it. All is seeded. Forgeries are loaded in processes of 4 GB, so that a crash or a hang is
counted. ``benchmarks.fuzz`` runs this too: in its table, what is loaded counts as "embedded".
"""

import argparse
import hashlib
import io
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz import DAMAGES, OUTCOMES
from songmap.core.defaults import DEFAULT_SEED
from songmap.core.errors import SchemaError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.journey.song_map import METHODS, fit_map, load_map, save_map
from songmap.library.genre_model import (
    Calibration,
    GenreModel,
    load_model,
    load_out_of_fold,
    save_model,
    save_out_of_fold,
)
from songmap.library.library import Library, load_library, save_library
from songmap.library.spaces import build_space
from tests.libraries import any_detector, separable_library

N_SONGS, HUNG_S, MEMORY_BYTES = 16, 20, 4 * 2**30
VALUES = (None, True, -1, 0, 2**70, 1e400, float("nan"), "", "\udcff", "a\nb", [], {}, [[[]]], {"a": {}}, "9" * 5000)


def make_workspace(root: Path) -> Workspace:
    """Every artifact: a library, a map, a model of trees and of an SVM, and its probabilities."""
    from sklearn.decomposition import PCA
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from xgboost import XGBClassifier

    workspace, library = Workspace(root), separable_library(2, N_SONGS // 2)
    save_library(workspace, library)
    axes = fit_map(library, build_space(library.embeddings), "pca", 1)
    save_map(workspace.song_map("umap"), replace(axes, method=METHODS["umap"]))  # UMAP itself takes long to start
    labels = np.arange(N_SONGS) // (N_SONGS // 2)
    columns = library.embeddings.astype(np.float64)
    pipelines = [
        Pipeline([("scaler", StandardScaler()), ("pca", PCA(5)), ("trees", XGBClassifier(n_estimators=9, n_jobs=1))]),
        Pipeline([("scaler", StandardScaler()), ("svm", OneVsRestClassifier(SVC(gamma=0.01)))]),
    ]
    medians = np.stack([np.median(library.embeddings[labels == label], axis=0) for label in range(2)])
    calibration = Calibration((0.5, 0.5), 0.0, 0.0, np.array([0.5, 0.5]))
    fitted = [pipeline.fit(columns, labels) for pipeline in pipelines]
    model = GenreModel("xgboost", fitted, ["A", "B"], calibration, library.embeddings[:4], medians, 0.2, any_detector())
    card = {"data": "", "limits": [], "songs_per_genre": {"A": 8, "B": 8}}
    save_out_of_fold(workspace, save_model(workspace, model, card), np.full((N_SONGS, 2), 0.5))
    return workspace


# --- what loads each artifact and uses it; False where a number is not finite


def _library(workspace: Workspace) -> bool:
    library = load_library(workspace)
    texts = "".join(map(str, library.songs.to_numpy().ravel()))
    return bool(np.isfinite(library.descriptors).all() and np.isfinite(library.embeddings).all() and texts)


def _map(workspace: Workspace) -> bool:
    library = _whole_library()
    song_map = load_map(workspace.song_map("umap"), build_space(library.embeddings))
    song_map.rows_of(library)
    if song_map.units.shape[1:] != (157,):  # of another space: fitted again
        return True
    return bool(np.isfinite(song_map.place(library.embeddings[:2], 2)).all())


def _model(workspace: Workspace) -> bool:
    from songmap.genre.predict import load_genre_model

    return bool(np.isfinite(load_genre_model(workspace).predict_proba(_whole_library().embeddings)).all())


def _out_of_fold(workspace: Workspace) -> bool:
    proba = load_out_of_fold(workspace, load_model(workspace)[1], (N_SONGS, 2))
    return not np.isinf(proba).any()  # NaN is what songs have that were not trained on


def _whole_library() -> Library:
    return separable_library(2, N_SONGS // 2)


def path_of(workspace: Workspace, artifact: str) -> Path:
    return {
        "manifest": workspace.manifest,
        "matrix": workspace.embeddings,
        "table": workspace.songs,
        "map": workspace.song_map("umap"),
        "model": workspace.model,
        "probabilities": workspace.out_of_fold,
    }[artifact]


ARTIFACTS: dict[str, Callable[[Workspace], bool]] = {
    "manifest": _library, "matrix": _library, "table": _library, "map": _map, "model": _model,
    "probabilities": _out_of_fold,
}  # fmt: skip


def forged(content: bytes, artifact: str, seed: int, index: int) -> bytes:
    """The forgery of this artifact, seed and index."""
    rng = random.Random(f"{artifact} {seed} {index}")
    if artifact == "manifest" and rng.random() < 0.7:
        return json.dumps(_with_other_value(rng, json.loads(content))).encode()
    if content[:2] == b"PK" and rng.random() < 0.8:
        return _with_other_member(rng, content)
    return _damaged(rng, content)


def _damaged(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(DAMAGES)(rng, data, content)
    return bytes(data)


def _with_other_member(rng: random.Random, content: bytes) -> bytes:
    """An archive whose members, one of them damaged, have right checksums."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    name = rng.choice(sorted(members))
    if name == "document.npy" and rng.random() < 0.7:
        header, document = members[name][:128], members[name][128:]
        text = json.dumps(_with_other_value(rng, json.loads(document))).encode()
        members[name] = header.replace(f"({len(document)},)".encode(), f"({len(text)},)".encode()) + text
    elif rng.random() < 0.1:
        del members[name]
    elif rng.random() < 0.2:
        members[name] = members[rng.choice(sorted(members))]
    else:
        members[name] = _damaged(rng, members[name])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", rng.choice((zipfile.ZIP_STORED,) * 9 + (zipfile.ZIP_DEFLATED,))) as file:
        for key, member in members.items():
            file.writestr(key, member)
    return stream.getvalue()


def _with_other_value(rng: random.Random, document: Any) -> Any:
    """The document with an odd value at any depth, or without one."""
    if not isinstance(document, dict | list) or not document or rng.random() < 0.1:
        return rng.choice(VALUES)
    place = rng.choice(list(document) if isinstance(document, dict) else range(len(document)))
    if rng.random() < 0.1:
        del document[place]
    else:
        document[place] = _with_other_value(rng, document[place])
    return document


def outcome_of(workspace: Workspace, artifact: str, content: bytes) -> str:
    """Load a forgery: what became of it."""
    path_of(workspace, artifact).write_bytes(content)
    if artifact in ("matrix", "table"):
        path = path_of(workspace, artifact)
        manifest = json.loads(workspace.manifest.read_bytes())
        manifest["sha256"][path.name] = hashlib.sha256(content).hexdigest()
        workspace.manifest.write_text(json.dumps(manifest))
    try:
        return "embedded" if ARTIFACTS[artifact](workspace) else "not finite"
    except SchemaError as error:
        return "refused" if len(str(error).splitlines()) == 1 else "defect"
    except Exception as error:
        print(f"{artifact}: {type(error).__name__}: {error}"[:500], file=sys.stderr)
        return "defect"


def child(artifact: str, seed: int, start: int, stop: int) -> None:
    """Print the outcome of every forgery on a line of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder))
        content = path_of(workspace, artifact).read_bytes()
        for index in range(start, stop):
            signal.alarm(HUNG_S)  # which ends the process
            print(outcome_of(workspace, artifact, forged(content, artifact, seed, index)), flush=True)


def outcomes(artifact: str, n_files: int, seed: int) -> Iterator[str]:
    """The outcome of every forgery; a process that crashes or hangs is replaced."""
    done = 0
    while done < n_files:
        command = [sys.executable, "-m", "benchmarks.fuzz_artifacts", artifact, "--seed", str(seed)]
        command += ["--child", str(done), str(n_files)]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                yield line.strip()
                done += 1
        if done < n_files:
            print(f"crashed or hung: {artifact} {seed} {done}", file=sys.stderr)
            yield "hung" if process.returncode == -signal.SIGALRM else "crashed"
            done += 1


def row(artifact: str, n_files: int, seed: int) -> tuple[Counter[str], str]:
    """How often each outcome came, and a row of the table."""
    started = time.monotonic()
    counts = Counter(outcomes(artifact, n_files, seed))
    rate = n_files / (time.monotonic() - started)
    cells = [artifact, n_files, *(counts[outcome] for outcome in OUTCOMES), f"{rate:.0f}"]
    return counts, f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifacts", nargs="*", metavar="ARTIFACT", help=f"of {' '.join(ARTIFACTS)}; all without")
    parser.add_argument("--files", type=int, default=2000, metavar="N", help="forgeries of each artifact (2000)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.artifacts[0], arguments.seed, *arguments.child)
        return 0
    totals: Counter[str] = Counter()
    for artifact in arguments.artifacts or ARTIFACTS:
        counts, line = row(artifact, arguments.files, arguments.seed)
        print(line, flush=True)
        totals += counts
    return int(any(totals[outcome] for outcome in OUTCOMES[2:]))


if __name__ == "__main__":
    sys.exit(main())
