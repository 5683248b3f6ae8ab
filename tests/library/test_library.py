"""Saving is the identity, and what is damaged, mixed up or tampered with is refused in one line."""

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import make_library
from waiting import wait_until

from songmap.core.errors import SchemaError
from songmap.core.files import LARGEST_BYTES
from songmap.core.workspace import Workspace
from songmap.library.descriptors import describe
from songmap.library.library import Library, finish_library, load_library, save_library
from songmap.library.schema import AudioConfig

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.fixture
def saved(tmp_path):
    workspace = Workspace(tmp_path)
    save_library(workspace, make_library(6))
    return workspace


@settings(max_examples=20, deadline=None)
@given(st.lists(text, min_size=1, max_size=5, unique=True), st.integers(0, 99), text)
def test_save_then_load_is_the_identity(names, seed, artist):
    library = make_library(len(names), seed=seed, names=names, artist=artist)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        save_library(workspace, library)
        loaded = load_library(workspace)
    np.testing.assert_array_equal(loaded.embeddings, library.embeddings)
    assert loaded.songs.equals(library.songs)


def test_bytes_depend_on_values_only(tmp_path):
    contents = []
    for turn in range(2):
        workspace = Workspace(tmp_path / str(turn))
        save_library(workspace, make_library(6))
        contents.append([path.read_bytes() for path in sorted(workspace.processed.iterdir())])
    assert contents[0] == contents[1]


def refusal(workspace):
    with pytest.raises(SchemaError) as error:
        load_library(workspace)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_missing_artifacts_say_run_01_first(tmp_path):
    assert "run 01_feature_extraction.py first" in refusal(Workspace(tmp_path))


@pytest.mark.parametrize("name", ["embeddings_matrix.npy", "song_table.npz"])
def test_a_changed_file_is_refused(saved, name):
    path = saved.processed / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert name in refusal(saved)


def test_files_of_two_runs_do_not_mix(saved, tmp_path):
    other = Workspace(tmp_path / "other")
    save_library(other, make_library(6, seed=1))
    saved.embeddings.write_bytes(other.embeddings.read_bytes())
    assert "not the file that manifest.json describes" in refusal(saved)


@pytest.mark.parametrize(("key", "value"), [("columns", "another"), ("columns", None), ("sha256", 3)])
def test_another_version_is_refused(saved, key, value):
    manifest = json.loads(saved.manifest.read_text())
    saved.manifest.write_text(json.dumps(manifest | {key: value}))
    assert "run 01" in refusal(saved)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("audio", {"hop_length": 256}, "hop_length 256, the columns of this version need 512; run 01 again"),
        ("audio", {"window": "hamming"}, "window"),
        ("audio", None, "has no audio configuration"),
        ("versions", None, "names no library versions"),
        ("versions", {"numpy": 3}, "names no library versions"),
        ("audio", {"min_duration_s": "long"}, "other values than numbers"),
        ("audio", {"n_fft": [2048]}, "other values than numbers"),
        ("engine", "essentia", "'essentia', not songmap or librosa"),
        ("engine", [["songmap"]], "'list', not songmap or librosa"),
    ],
)
def test_another_configuration_is_refused(saved, key, value, message):
    manifest = json.loads(saved.manifest.read_text())
    value = manifest[key] | value if isinstance(value, dict) else value
    saved.manifest.write_text(json.dumps(manifest | {key: value}))
    assert message in refusal(saved)


def test_a_configuration_that_gives_other_columns_is_not_saved(tmp_path):
    library = replace(make_library(6), config=AudioConfig(n_fft=4096))
    with pytest.raises(SchemaError, match="n_fft 4096, the columns of this version need 2048"):
        save_library(Workspace(tmp_path), library)
    assert not list(tmp_path.iterdir())


def test_configuration_and_engine_travel_with_the_library(tmp_path):
    config = AudioConfig(min_duration_s=1)  # decides which files are songs, not what columns mean
    save_library(Workspace(tmp_path), replace(make_library(6), config=config, engine="librosa"))
    loaded = load_library(Workspace(tmp_path))
    assert (loaded.config, loaded.engine) == (config, "librosa")


def test_numbers_by_other_library_versions_are_loaded_with_one_warning(saved, caplog):
    manifest = json.loads(saved.manifest.read_text())
    before = manifest["versions"]["numpy"]
    del manifest["engine"]  # as before engines were recorded
    manifest["versions"] |= {"numpy": "1.0", "pandas": "0.1"}
    saved.manifest.write_text(json.dumps(manifest))
    library = load_library(saved)
    assert (len(library), library.engine) == (6, "songmap")
    assert [record.getMessage() for record in caplog.records] == [
        f"{saved.manifest} was made with numpy 1.0, now {before}: numbers may differ in the last bits "
        "from new ones; run 01 again to renew it"
    ]


def test_a_folder_can_be_named_as_text_or_path(saved, caplog):
    for place in (saved, saved.root, str(saved.root)):
        library = load_library(place)
        assert len(library) == 6
        np.testing.assert_array_equal(library.descriptors, describe(library.embeddings))
    assert (library.descriptors.shape, library.descriptors.dtype) == ((6, 157), np.float64)
    assert not caplog.records


@pytest.mark.parametrize("content", ["", "[]", "{", "{}"])
def test_a_damaged_manifest_is_refused(saved, content):
    saved.manifest.write_text(content)
    assert "run 01" in refusal(saved)


class Attack:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def forge(workspace, path, content):
    """Another file under the checksum of the manifest."""
    path.write_bytes(content)
    manifest = json.loads(workspace.manifest.read_text())
    manifest["sha256"][path.name] = hashlib.sha256(content).hexdigest()
    workspace.manifest.write_text(json.dumps(manifest))


def test_no_pickle_is_read(saved, tmp_path):
    victim, attack = tmp_path / "victim", pickle.dumps(Attack(tmp_path / "victim"))
    forge(saved, saved.songs_pickle, attack)
    assert len(load_library(saved)) == 6
    forge(saved, saved.songs, attack)
    assert "song_table.npz is damaged" in refusal(saved)
    stream = io.BytesIO()
    np.savez(stream, document=np.array([Attack(victim)], dtype=object))
    forge(saved, saved.songs, stream.getvalue())
    assert "song_table.npz is damaged" in refusal(saved)
    assert not victim.exists()


def test_the_pickle_for_other_tools_is_the_table(saved):
    assert pd.read_pickle(saved.songs_pickle).equals(load_library(saved).songs)


def test_a_library_of_an_earlier_version_needs_a_run_of_01(saved):
    saved.songs.unlink()
    manifest = json.loads(saved.manifest.read_text())
    del manifest["sha256"][saved.songs.name]
    saved.manifest.write_text(json.dumps(manifest))
    assert "made by an earlier version; run 01_feature_extraction.py again" in refusal(saved)


def npy(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-6, 641), }\n"),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (6, 641), }\n", bytes(4 * 641 * 5)),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999, 641), }\n"),
        npy(b"{'descr': '<f3', 'fortran_order': False, 'shape': (6, 641), }\n"),
        npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (6, 641), }\n"),
        npy(b"{'descr': '<f4', 'fortran_order': Fal"),
        npy(b"(" * 9000),
    ],
)
def test_a_matrix_with_a_forged_header_is_one_line(saved, content):
    forge(saved, saved.embeddings, content)
    assert "embeddings_matrix.npy is damaged" in refusal(saved)


def test_another_kind_of_file_in_the_place_of_the_matrix_is_one_line(saved):
    forge(saved, saved.embeddings, saved.songs.read_bytes())
    assert "embeddings_matrix.npy is damaged" in refusal(saved)
    for matrix in (np.zeros((6, 641)), np.zeros((6, 640), np.float32), np.zeros((641, 6), np.float32).T):
        stream = io.BytesIO()
        np.save(stream, matrix)
        forge(saved, saved.embeddings, stream.getvalue())
        if matrix.dtype == np.float32 and matrix.shape == (6, 641):
            assert np.array_equal(load_library(saved).embeddings, matrix)
        else:
            assert "not float32 (n_songs, 641)" in refusal(saved)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
@pytest.mark.parametrize("name", ["embeddings_matrix.npy", "song_table.npz", "manifest.json"])
def test_a_fifo_in_the_place_of_a_file_does_not_block(saved, name):
    (saved.processed / name).unlink()
    os.mkfifo(saved.processed / name)
    assert f"{name} cannot be read: it is not a regular file" in refusal(saved)


@pytest.mark.parametrize("name", ["song_table.npz", "manifest.json"])
def test_a_file_that_may_not_fit_into_memory_is_one_line(saved, name):
    os.truncate(saved.processed / name, LARGEST_BYTES + 1)
    assert f"{name} has 4,294,967,297 bytes" in refusal(saved)


def test_a_deep_manifest_is_one_line(saved):
    saved.manifest.write_text('{"audio": ' + "[" * 100_000)
    assert "manifest.json is not JSON" in refusal(saved)


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from libraries import make_library
from waiting import wait_until
from songmap.core.workspace import Workspace
from songmap.library.library import save_library

libraries = [make_library(6, seed=seed, artist=f"artist {seed}") for seed in range(2)]
while True:
    for library in libraries:
        save_library(Workspace(Path(sys.argv[1])), library)
        print("saved", flush=True)
"""


@contextmanager
def writer(workspace):
    """A process that saves one of two libraries after the other, as long as it may."""
    command = [sys.executable, "-c", WRITER, workspace.root, Path(__file__).parents[1]]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        Thread(target=process.stdout.read, daemon=True).start()
        wait_until(lambda: workspace.manifest.is_file())
        yield process
        process.kill()


@pytest.mark.parametrize("n_loads", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_loads_while_another_process_saves_are_whole(tmp_path, n_loads):
    """None pairs a matrix with the table of another save, and none is refused."""
    workspace, seen = Workspace(tmp_path), Counter()
    libraries = [make_library(6, seed=seed, artist=f"artist {seed}") for seed in range(2)]
    with writer(workspace):
        for _ in range(n_loads):
            loaded = load_library(workspace)
            seed = [np.array_equal(loaded.embeddings, library.embeddings) for library in libraries].index(True)
            assert set(loaded.songs["artist"]) == {f"artist {seed}"}
            seen[seed] += 1
    assert min(seen[0], seen[1]) > n_loads / 10


def test_a_killed_save_leaves_a_whole_library_and_its_remains_are_removed(tmp_path):
    workspace = Workspace(tmp_path)
    for turn in range(8):
        with writer(workspace) as process:
            time.sleep(0.01 * turn)
            process.kill()
        assert len(load_library(workspace)) == 6
    old = workspace.processed / ".embeddings_matrix.ab3_x9zz.npy"  # of a version that wrote beside the file
    old.write_bytes(bytes(100))
    finish_library(workspace)
    assert {path.name for path in workspace.processed.iterdir()} == {
        ".library.lock", "embeddings_matrix.npy", "manifest.json", "song_data.pkl", "song_table.npz"
    }  # fmt: skip
    assert len(load_library(workspace)) == 6


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda x, s: (x.astype(np.float64), s), "float32"),
        (lambda x, s: (x[:, :640], s), "641"),
        (lambda x, s: (x[:-1], s), "5 embeddings but 6 songs"),
        (lambda x, s: (np.where(x == x[2, 3], np.nan, x).astype(np.float32), s), "not finite"),
        (lambda x, s: (x, s.assign(file_path=s["file_path"].iloc[0])), "twice"),
        (lambda x, s: (x, s.iloc[::-1].reset_index(drop=True)), "order"),
        (lambda x, s: (x, s.drop(columns="genre")), "lacks genre"),
        (lambda x, s: (x, s.assign(duration=np.inf)), "not finite"),
        (lambda x, s: (x, s.assign(mood=[["a"]] * 6)), "column mood of the songs holds neither"),
    ],
)
def test_what_does_not_belong_together_is_neither_saved_nor_loaded(tmp_path, damage, message):
    library = make_library(6)
    embeddings, songs = damage(library.embeddings, library.songs)
    with pytest.raises(SchemaError, match=message):
        save_library(Workspace(tmp_path), Library(embeddings, songs))
    assert not list(tmp_path.iterdir())
