"""Saving is the identity, and what is damaged, mixed up or tampered with is refused in one line."""

import hashlib
import json
import pickle
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import make_library

from songmap.core.errors import SchemaError
from songmap.core.files import write_atomically
from songmap.core.workspace import Workspace
from songmap.library.descriptors import describe
from songmap.library.library import Library, load_library, save_library
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


@pytest.mark.parametrize("name", ["embeddings_matrix.npy", "song_data.pkl"])
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
        ("engine", "essentia", "'essentia', not songmap or librosa"),
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


def test_a_tampered_pickle_runs_nothing(saved, tmp_path):
    victim = tmp_path / "victim"
    content = pickle.dumps(Attack(victim))
    saved.songs.write_bytes(content)
    manifest = json.loads(saved.manifest.read_text())
    manifest["sha256"][saved.songs.name] = hashlib.sha256(content).hexdigest()
    saved.manifest.write_text(json.dumps(manifest))
    assert "nothing of it was run" in refusal(saved)
    assert not victim.exists()


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
    ],
)
def test_what_does_not_belong_together_is_neither_saved_nor_loaded(tmp_path, damage, message):
    library = make_library(6)
    embeddings, songs = damage(library.embeddings, library.songs)
    with pytest.raises(SchemaError, match=message):
        save_library(Workspace(tmp_path), Library(embeddings, songs))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    write_atomically(path, b"old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
