"""The ledger: what is kept comes back, for any file name, and for one process and one analysis only."""

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import kept_songs

from songmap.core.errors import SchemaError
from songmap.core.workspace import REPOSITORY, Workspace
from songmap.extract import ledger as ledger_module
from songmap.extract.ledger import analysis_fingerprint, open_ledger, read_ledger
from songmap.extract.options import ExtractionOptions
from songmap.extract.outcomes import Known, Outcome
from songmap.extract.run import make_plan, stamp_of
from songmap.library.schema import N_COLUMNS, SONG_COLUMNS, AudioConfig
from songmap.library.segments import SegmentSettings, SongSegments

CONFIG, OTHER_CONFIG = AudioConfig(), AudioConfig(hop_length=256)
STAMP = (1000, 1_700_000_000_000_000_000, 1)

integers = st.integers(-(2**63), 2**63 - 1)
# any bytes but the one that ends a name; decoded as Python decodes names
paths = st.binary(min_size=1, max_size=40).map(lambda raw: Path(os.fsdecode(b"/music/" + raw.replace(b"\0", b""))))
texts = st.text(st.characters(), max_size=20)  # lone surrogates included
UNTAGGED = {name: "" for name in ("song_name", "file_path", "artist", "title", "album", "tag_genre")}
RECORD = UNTAGGED | {"duration": 1.0}
others = st.dictionaries(texts.filter(lambda name: name not in SONG_COLUMNS), texts, max_size=5)
records = st.builds(lambda other, year: RECORD | other | {"year": year}, others, st.floats())
embeddings = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).standard_normal(N_COLUMNS).astype(np.float32)
)
outcomes = st.builds(Outcome, content=st.text("0123456789abcdef", min_size=1), record=records, embedding=embeddings)
failures = st.builds(Outcome, failure=st.text(max_size=20), too_short_s=st.none() | st.floats(0, 3))


def written(outcome: Outcome) -> tuple:
    """An outcome's values, comparable; NaN equals NaN."""
    embedding = None if outcome.embedding is None else (outcome.embedding.dtype.str, outcome.embedding.tobytes())
    return outcome.content, json.dumps(outcome.record), embedding, outcome.failure, outcome.too_short_s


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(paths, st.tuples(st.tuples(*[integers] * 3), outcomes | failures), max_size=6), st.data())
def test_what_is_kept_comes_back(kept, data):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "library.sqlite"
        with open_ledger(file, CONFIG) as ledger:
            for path, (stamp, outcome) in kept.items():
                ledger.keep(path, stamp, Outcome(failure="its outcome before"))
                ledger.keep(path, stamp, outcome)
        with open_ledger(file, CONFIG) as ledger:
            assert ledger.known() == {
                path: Known(
                    stamp, outcome.content, outcome.failure is not None, outcome.record is not None, outcome.too_short_s
                )
                for path, (stamp, outcome) in kept.items()
            }
            every = {path: written(outcome) for path, outcome in ledger.outcomes(set(kept))}
            assert every == {path: written(outcome) for path, (_, outcome) in kept.items()}
            for content in {outcome.content for _, outcome in kept.values() if outcome.content}:
                same = [written(outcome) for _, outcome in kept.values() if outcome.content == content]
                assert written(ledger.recognise(content)) in same
            wanted = data.draw(st.sets(st.sampled_from(sorted(kept)))) if kept else set()
            kept_again = {path: written(outcome) for path, outcome in ledger.outcomes(wanted | {Path("/not/kept")})}
            assert kept_again == {path: written(kept[path][1]) for path in wanted}


def test_a_reason_that_quotes_a_name_that_is_not_utf8_is_kept_readable(tmp_path):
    with open_ledger(tmp_path / "library.sqlite", CONFIG) as ledger:
        ledger.keep(Path("/m/x"), STAMP, Outcome(failure="no codec for caf\udce9"))
        assert [outcome.failure for _, outcome in ledger.outcomes({Path("/m/x")})] == ["no codec for caf?"]


def test_a_song_whose_path_another_takes_is_still_recognised(tmp_path):
    file, a = tmp_path / "library.sqlite", Path("/music/a.mp3")
    one, other = (
        Outcome(content, RECORD, np.full(N_COLUMNS, value, np.float32)) for content, value in (("1", 1), ("2", 2))
    )
    with open_ledger(file, CONFIG) as ledger:
        for outcome in (one, other, Outcome(failure="silent"), one, one):
            ledger.keep(a, STAMP, outcome)
        assert written(ledger.recognise("1")) == written(one)
        assert written(ledger.recognise("2")) == written(other)
        assert ledger.recognise("3") is None
        assert dict(ledger.known()) == {a: Known(STAMP, "1", False, outdated=True)}
    with open_ledger(file, OTHER_CONFIG) as ledger:
        assert ledger.recognise("1") is ledger.recognise("2") is None


@pytest.mark.parametrize("time_s", [-1_000_000_000, 0, 13_569_465_600])
def test_files_may_have_any_date(tmp_path, time_s):
    """1938, 1970 and 2400: in nanoseconds more than 64 bits."""
    song = tmp_path / "song.mp3"
    song.touch()
    os.utime(song, (time_s, time_s))
    stamp = stamp_of(song)
    with open_ledger(tmp_path / "library.sqlite", CONFIG) as ledger:
        ledger.keep(song, stamp, Outcome(failure="0 bytes"))
        assert ledger.known()[song].stamp == stamp
    os.utime(song, (time_s, time_s + 1))
    assert stamp_of(song) != stamp


def test_another_analysis_knows_nothing_and_takes_over_file_by_file(tmp_path):
    file, a, b = tmp_path / "library.sqlite", Path("/music/a.mp3"), Path("/music/b.mp3")
    with open_ledger(file, CONFIG) as ledger:
        ledger.keep(a, STAMP, Outcome(failure="silent"))
        ledger.keep(b, STAMP, Outcome(failure="silent"))
    with open_ledger(file, OTHER_CONFIG) as ledger:
        assert ledger.known() == {}
        assert list(ledger.outcomes({a, b})) == []
        ledger.keep(a, STAMP, Outcome(failure="too short"))
    with open_ledger(file, CONFIG) as ledger:
        assert set(ledger.known()) == {b}
    with open_ledger(file, OTHER_CONFIG) as ledger:
        assert [(path, outcome.failure) for path, outcome in ledger.outcomes({a, b})] == [(a, "too short")]


def test_rows_of_one_engine_are_unknown_to_the_other(tmp_path):
    file, song = tmp_path / "library.sqlite", Path("/music/a.mp3")
    outcome = Outcome("1", RECORD, np.zeros(N_COLUMNS, np.float32))
    with open_ledger(file, CONFIG) as ledger:
        ledger.keep(song, STAMP, outcome)
    with open_ledger(file, CONFIG, "librosa") as ledger:
        assert ledger.known() == {}
        assert ledger.recognise("1") is None
        ledger.keep(song, STAMP, outcome)
    with open_ledger(file, CONFIG, "songmap") as ledger:
        assert ledger.known() == {}


# tables as versions 2 and 3 made them
OLDER = {
    2: """
        CREATE TABLE songs (
            path BLOB PRIMARY KEY, analysis TEXT NOT NULL, reading INTEGER NOT NULL,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            content TEXT, record TEXT, embedding BLOB, failure TEXT);""",
    3: """
        CREATE TABLE songs (
            path BLOB PRIMARY KEY, analysis TEXT NOT NULL, reading INTEGER NOT NULL,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            content TEXT, record TEXT, embedding BLOB, failure TEXT);
        CREATE INDEX songs_by_content ON songs (content);
        CREATE TABLE displaced (
            analysis TEXT NOT NULL, content TEXT NOT NULL, record TEXT NOT NULL, embedding BLOB NOT NULL,
            PRIMARY KEY (analysis, content));""",
}
SONG = Outcome("1", RECORD, np.ones(N_COLUMNS, np.float32))


def write_older(file: Path, version: int) -> None:
    """A ledger of an older version with a song, and from version 3 on one that was displaced."""
    numbers = json.dumps(RECORD), SONG.embedding.tobytes()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(OLDER[version])
        row = (b"/music/a.mp3", analysis_fingerprint(CONFIG), STAMP[2], *STAMP[:2], "1", *numbers, None)
        connection.execute("INSERT INTO songs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        if version > 2:
            connection.execute("INSERT INTO displaced VALUES (?, '2', ?, ?)", (analysis_fingerprint(CONFIG), *numbers))
        connection.execute(f"PRAGMA user_version={version}")


@pytest.mark.parametrize("version", OLDER)
def test_a_ledger_of_an_older_version_is_migrated(tmp_path, version):
    file, path = tmp_path / "library.sqlite", Path("/music/a.mp3")
    write_older(file, version)
    for _ in range(2):
        with open_ledger(file, CONFIG) as ledger:
            assert ledger.known() == {path: Known(STAMP, "1", False, outdated=True)}
            assert written(dict(ledger.outcomes({path}))[path]) == written(SONG)
            assert (ledger.recognise("2") is not None) == (version > 2)


def test_a_ledger_without_segments_gets_a_table_of_them(tmp_path):
    file, path = tmp_path / "library.sqlite", Path("/music/a.mp3")
    with open_ledger(file, CONFIG) as ledger:
        ledger.keep(path, STAMP, SONG)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE segments")
        connection.execute("PRAGMA user_version=4")
    with open_ledger(file, CONFIG) as ledger:
        assert (set(ledger.known()), ledger.segments.contents(SegmentSettings())) == ({path}, set())


SEGMENTS = SongSegments(np.array([[0.0, 30.0], [15.0, 45.0]]), np.ones((2, N_COLUMNS), np.float32))


@pytest.mark.parametrize(
    "change",
    [
        "settings='other'",
        "content='2'",
        "bounds=X'00'",
        "bounds=NULL",
        "embeddings='text'",
        "embeddings=zeroblob(5128)",
    ],
)
def test_segments_come_back_unless_their_row_was_altered(tmp_path, change):
    file, path = tmp_path / "library.sqlite", Path("/music/a.mp3")
    with open_ledger(file, CONFIG) as ledger:
        ledger.keep(path, STAMP, replace(SONG, segments=SEGMENTS), SegmentSettings())
        kept = ledger.segments.get("1", SegmentSettings())
        np.testing.assert_array_equal(kept.bounds_s, SEGMENTS.bounds_s)
        np.testing.assert_array_equal(kept.embeddings, SEGMENTS.embeddings)
        assert ledger.segments.get("1", SegmentSettings(20)) is ledger.segments.get(None, SegmentSettings()) is None
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"UPDATE OR IGNORE segments SET {change}")
    with open_ledger(file, CONFIG) as ledger:
        altered = ledger.segments.get("1", SegmentSettings())
        assert altered is None or change == "bounds=NULL"  # which the table refuses


@pytest.mark.parametrize("version", [0, 1, 6, 99])
def test_a_ledger_of_an_unknown_version_is_refused_and_stays(tmp_path, version):
    file = tmp_path / "library.sqlite"
    write_older(file, 3)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version={version}")
    before = file.read_bytes()
    for opener in (open_ledger, read_ledger):
        with pytest.raises(SchemaError, match=f"is a ledger of version {version}"), opener(file, CONFIG):
            pass
    assert file.read_bytes() == before


@pytest.mark.parametrize("version", [*OLDER, 5])
def test_reading_a_ledger_writes_nothing(tmp_path, version):
    file, path = tmp_path / "library.sqlite", Path("/music/a.mp3")
    if version == 5:
        with open_ledger(file, CONFIG) as ledger:
            ledger.keep(path, STAMP, SONG)
        file.with_suffix(".lock").unlink()
    else:
        write_older(file, version)
    before = file.read_bytes()
    with read_ledger(file, CONFIG) as ledger:
        assert set(ledger.known()) == {path}
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [(file.name, before)]


DEEP = "[" * 100_000
ALTERED = [
    ("record", "NULL"), ("record", "'{'"), ("record", "'[]'"), ("record", f"'{DEEP}'"), ("record", "'{}'"),
    ("record", "CAST(X'80' AS TEXT)"), ("record", f"""'{json.dumps(RECORD | {"duration": None})}'"""),
    ("record", f"""'{json.dumps(RECORD | {"duration": 10**400})}'"""), ("record", f"""'{json.dumps(RECORD | {"artist": ["a"]})}'"""),
    ("record", f"""'{json.dumps(RECORD | {"duration": math.nan})}'"""),
    ("record", f"""'{json.dumps(RECORD | {"title": "A" * 1001})}'"""),
    ("embedding", "NULL"), ("embedding", "X'00000000'"), ("embedding", "'text'"), ("embedding", f"zeroblob({4 * N_COLUMNS + 4})"),
    ("embedding", f"X'{'0000807f' * N_COLUMNS}'"),
    ("content", "NULL"), ("size", "'text'"), ("mtime_ns", "1.5"), ("reading", "X'00'"), ("failure", "X'00'"), ("path", "7"),
]  # fmt: skip


@pytest.mark.parametrize("is_forged", [False, True], ids=["damaged", "forged"])
@pytest.mark.parametrize(("column", "value"), ALTERED)
def test_an_altered_row_counts_as_absent(tmp_path, column, value, is_forged):
    """By its checksum; and a row whose checksum was made anew, as a migration does, by what it holds."""
    file, paths = tmp_path / "library.sqlite", (Path("/music/a.mp3"), Path("/music/b.mp3"))
    with open_ledger(file, CONFIG) as ledger:
        for content, path in enumerate(paths):
            ledger.keep(path, STAMP, replace(SONG, content=str(content)))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"UPDATE songs SET {column}={value} WHERE content='0'")
        if is_forged:
            connection.execute("ALTER TABLE songs DROP COLUMN checksum")
            connection.execute("ALTER TABLE displaced DROP COLUMN checksum")
            connection.execute("PRAGMA user_version=3")
    with open_ledger(file, CONFIG) as ledger:
        assert set(ledger.known()) == {paths[1]}
        assert [path for path, _ in ledger.outcomes(set(paths))] == [paths[1]]
        assert ledger.recognise("1") is not None
        if column in ("record", "embedding", "content"):
            assert ledger.recognise("0") is None
        ledger.keep(paths[0], STAMP, SONG)
        assert set(ledger.known()) == set(paths)


def test_a_row_in_anothers_place_counts_as_absent(tmp_path):
    file = tmp_path / "library.sqlite"
    with open_ledger(file, CONFIG) as ledger:
        ledger.keep(Path("/music/a.mp3"), STAMP, SONG)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE songs SET path=X'2f62'")
    with open_ledger(file, CONFIG) as ledger:
        assert ledger.known() == {}


def test_what_is_not_a_ledger_is_left_alone(tmp_path):
    file = tmp_path / "library.sqlite"
    file.write_text("notes of somebody\n" * 100)
    with pytest.raises(SchemaError, match=r"cannot be used \(file is not a database\)"), open_ledger(file, CONFIG):
        pass
    assert file.read_text() == "notes of somebody\n" * 100


HOLDER = """
import sys
from pathlib import Path
from songmap.library.schema import AudioConfig
from songmap.extract.ledger import open_ledger
from songmap.extract.outcomes import Outcome
with open_ledger(Path(sys.argv[1]), AudioConfig()) as ledger:
    ledger.keep(Path("/music/a.mp3"), (1, 2, 3), Outcome(failure="silent"))
    ledger.commit()
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_until_it_ends_however_it_ends(tmp_path):
    workspace = Workspace(tmp_path)
    command = [sys.executable, "-c", HOLDER, workspace.ledger]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY) as holder:
        assert holder.stdout.readline() == b"ready\n"
        with pytest.raises(SchemaError, match="is in use: another run"), open_ledger(workspace.ledger, CONFIG):
            pass
        assert kept_songs(workspace) == 1  # others may read meanwhile
        holder.send_signal(signal.SIGKILL)
    with open_ledger(workspace.ledger, CONFIG) as ledger:
        assert ledger.known() == {Path("/music/a.mp3"): Known((1, 2, 3), None, True)}


def test_outcomes_are_committed_together_when_due_and_at_the_end(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path)

    def interrupted() -> None:
        with open_ledger(workspace.ledger, CONFIG) as ledger:
            assert ledger.seconds_to_commit() is None
            ledger.keep(Path("/music/a.mp3"), STAMP, Outcome(failure="silent"))
            ledger.keep(Path("/music/b.mp3"), STAMP, Outcome(failure="silent"))
            monkeypatch.setattr(ledger_module, "COMMIT_EVERY_S", 1000.0)
            ledger.commit_due()
            assert (kept_songs(workspace), round(ledger.seconds_to_commit(), -2)) == (0, 1000)
            monkeypatch.setattr(ledger_module, "COMMIT_EVERY_S", 0.0)
            ledger.commit_due()
            assert (kept_songs(workspace), ledger.seconds_to_commit()) == (2, None)
            ledger.keep(Path("/music/c.mp3"), STAMP, Outcome(failure="silent"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert kept_songs(workspace) == 3


SAME, TOUCHED = STAMP, (1000, STAMP[1] + 1, 1)
ANALYSED, FAILED = Known(STAMP, "content", False), Known(STAMP, None, True)
OUTDATED = Known(STAMP, "content", False, outdated=True)


@pytest.mark.parametrize(
    ("stamp", "row", "retry_failed", "expected"),
    [
        (SAME, ANALYSED, False, "unchanged"),
        (SAME, ANALYSED, True, "unchanged"),
        (TOUCHED, ANALYSED, False, "changed_or_moved"),
        ((1001, *SAME[1:]), ANALYSED, False, "changed_or_moved"),
        ((*SAME[:2], 2), ANALYSED, False, "changed_or_moved"),  # its tags would be read otherwise
        (SAME, FAILED, False, "failed_before"),
        (SAME, FAILED, True, "new"),
        (TOUCHED, FAILED, False, "new"),
        (SAME, None, False, "new"),
        (SAME, OUTDATED, False, "outdated"),
        (TOUCHED, OUTDATED, False, "changed_or_moved"),
    ],
)
def test_the_plan_for_one_file(stamp, row, retry_failed, expected):
    path = Path("/music/a.mp3")
    plan = make_plan({path: stamp}, {path: row} if row else {}, ExtractionOptions(retry_failed=retry_failed))
    assert {name: list(paths) for name, paths in vars(plan).items() if paths} == {expected: [path]}


@pytest.mark.parametrize(
    ("too_short_s", "least_s", "expected"),
    [
        (2.5, 3.0, "failed_before"),
        (2.5, 2.6, "failed_before"),
        (2.5, 2.5, "new"),
        (0.0, 0.2, "failed_before"),  # for another reason
        (None, 3.0, "failed_before"),  # of an older version, which had one limit and did not tell the reason apart
        (None, 2.9, "new"),
    ],
)
def test_what_was_too_short_is_tried_again_when_it_no_longer_is(too_short_s, least_s, expected):
    path, row = Path("/music/a.mp3"), replace(FAILED, too_short_s=too_short_s)
    plan = make_plan({path: STAMP}, {path: row}, ExtractionOptions(min_duration_s=least_s))
    assert {name: list(paths) for name, paths in vars(plan).items() if paths} == {expected: [path]}


@pytest.mark.parametrize(
    ("other", "row", "expected"),
    [
        ("gone.mp3", ANALYSED, "changed_or_moved"),  # the new file may be it
        ("gone.mp3", FAILED, "new"),
        ("elsewhere.mp3", ANALYSED, "new"),  # another music folder of the same workspace
    ],
)
def test_a_new_file_may_be_one_that_was_moved(tmp_path, other, row, expected):
    (tmp_path / "elsewhere.mp3").touch()
    path = tmp_path / "new.mp3"
    plan = make_plan({path: STAMP}, {tmp_path / other: row}, ExtractionOptions())
    assert {name: list(paths) for name, paths in vars(plan).items() if paths} == {expected: [path]}
