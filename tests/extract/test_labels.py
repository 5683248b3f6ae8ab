"""Genres and labels: by folder, by tag, and by tables as people and data sets have them."""

import csv
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from songmap.core.errors import UsageError
from songmap.extract.files import SongFile, find_songs
from songmap.extract.labels import genre_of_tag, label_record, label_songs
from songmap.library.library import song_table
from songmap.library.schema import SONG_COLUMNS


def grow(root: Path, *names: str) -> Path:
    """Empty files below ``root``."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def labelled(music: Path, labels: str | Path) -> dict[str, SongFile]:
    """Every song by its path below ``music``."""
    songs = label_songs(find_songs(music), music, str(labels))
    return {song.path.relative_to(music.resolve()).as_posix(): song for song in songs}


def genres(music: Path, labels: str | Path) -> dict[str, str]:
    return {name: song.genre for name, song in labelled(music, labels).items()}


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


# folder


def test_the_first_folder_is_the_genre(tmp_path, caplog):
    grow(tmp_path, "House/x.mp3", "House/a/b/c/d/x.mp3", "techno/x.mp3", "loose.mp3")
    assert genres(tmp_path, "folder") == {
        "House/a/b/c/d/x.mp3": "HOUSE", "House/x.mp3": "HOUSE", "loose.mp3": "UNKNOWN", "techno/x.mp3": "TECHNO",
    }  # fmt: skip
    assert not caplog.records


@pytest.mark.parametrize(
    ("place", "defaults"),
    [
        ("", {}),
        ("Ann/", {"artist": "Ann"}),
        ("Ann/First/", {"artist": "Ann", "album": "First"}),
        ("Ann/First/CD1/", {"artist": "Ann", "album": "First"}),
        ("Ann/Disc 2 - Live/", {"artist": "Ann"}),
        ("Ann/disc_II/First/", {"artist": "Ann", "album": "First"}),
        ("CDC/Disco 2/", {"artist": "CDC", "album": "Disco 2"}),
        ("Various Artists/Hits/", {"album": "Hits"}),
        ("Ann/First/more/deeper/", {"artist": "Ann", "album": "First"}),
    ],
)
def test_the_next_folders_are_artist_and_album(tmp_path, place, defaults):
    grow(tmp_path, f"HOUSE/{place}x.mp3", "TRANCE/y.mp3")
    song = labelled(tmp_path, "folder")[f"HOUSE/{place}x.mp3"]
    assert (song.genre, song.defaults, song.labels) == ("HOUSE", defaults, {})


@pytest.mark.parametrize("place", ["", "blues/", "genres_original/blues/", "Data/genres_original/Blues/"])
def test_gtzan_names_give_the_genre(tmp_path, place, caplog):
    grow(tmp_path, f"{place}blues.00001.wav", f"{place.lower().replace('blues', 'hiphop')}hiphop.00099.wav")
    assert sorted(genres(tmp_path, "folder").values()) == ["BLUES", "HIPHOP"]
    assert all(song.defaults == {} for song in labelled(tmp_path, "folder").values())
    assert not caplog.records


def test_other_numbered_names_give_no_genre(tmp_path):
    grow(tmp_path, "HOUSE/track.00001.wav", "x.1.wav", "live.2024.wav", "12345.00001.wav")
    assert genres(tmp_path, "folder") == {
        "12345.00001.wav": "UNKNOWN", "HOUSE/track.00001.wav": "HOUSE", "live.2024.wav": "UNKNOWN", "x.1.wav": "UNKNOWN",
    }  # fmt: skip


def test_one_folder_of_folders_stays_a_genre_with_a_warning(tmp_path, caplog):
    grow(tmp_path, "music/HOUSE/x.mp3", "music/TRANCE/y.mp3")
    assert set(genres(tmp_path, "folder").values()) == {"MUSIC"}
    assert f"--music {tmp_path.resolve()}/music" in caplog.records[0].getMessage()
    assert set(genres(tmp_path / "music", "folder").values()) == {"HOUSE", "TRANCE"}


@pytest.mark.parametrize(
    "names", [("HOUSE/x.mp3", "HOUSE/y.mp3"), ("HOUSE/Ann/x.mp3", "HOUSE/y.mp3"), ("HOUSE/Ann/x.mp3",)]
)
def test_one_genre_that_cannot_be_meant_otherwise_warns_of_nothing(tmp_path, caplog, names):
    grow(tmp_path, *names)
    assert set(genres(tmp_path, "folder").values()) == {"HOUSE"}
    assert not caplog.records


def test_genres_are_the_same_however_letters_are_stored(tmp_path):
    grow(tmp_path, unicodedata.normalize("NFD", "Élec/x.mp3"), "House/y.mp3")
    table = write(tmp_path / "t.csv", unicodedata.normalize("NFD", "file,genre\nx.mp3,élec\ny.mp3,house\n"))
    by_folder, by_table = (label_songs(find_songs(tmp_path), tmp_path, str(labels)) for labels in ("folder", table))
    assert {song.genre for song in by_folder} == {song.genre for song in by_table} == {"ÉLEC", "HOUSE"}


def test_a_single_file_has_no_genre(tmp_path):
    grow(tmp_path, "HOUSE/x.mp3")
    song = tmp_path / "HOUSE" / "x.mp3"
    assert label_songs(find_songs(song), song, "folder") == [SongFile(song, "UNKNOWN")]


# tag


@pytest.mark.parametrize(
    ("text", "genre"),
    [
        ("House", "HOUSE"),
        ("  Deep \n House ", "DEEP HOUSE"),
        ("Electronic; House", "ELECTRONIC"),
        ("; House", "HOUSE"),
        ("Electronic / House", "ELECTRONIC"),
        ("Hip-Hop/Rap", "HIP-HOP/RAP"),
        ("Folk, World, & Country", "FOLK, WORLD, & COUNTRY"),
        ("Pop\0Rock", "POP"),
        ("", "UNKNOWN"),
        (" ; ", "UNKNOWN"),
    ],
)
def test_the_first_genre_of_a_tag_counts(text, genre):
    assert genre_of_tag(text) == genre


def test_folders_mean_nothing_when_tags_decide(tmp_path):
    grow(tmp_path, "HOUSE/Ann/First/x.mp3")
    [song] = label_songs(find_songs(tmp_path), tmp_path, "tag")
    assert (song.genre, song.labels, song.defaults) == ("", {}, {})
    assert label_record({"tag_genre": "trance; house"}, song)["genre"] == "TRANCE"
    assert label_record({"tag_genre": ""}, song)["genre"] == "UNKNOWN"


def test_labels_win_over_tags_and_defaults_only_fill_gaps():
    record = {"artist": "Tag", "album": "", "title": "T", "genre": "UNKNOWN", "tag_genre": "POP", "year": np.nan}
    song = SongFile(
        Path("/x.mp3"), "HOUSE", {"title": "L", "year": 1999.0, "mood": "sad"}, {"artist": "F", "album": "F"}
    )
    before = dict(record)
    assert label_record(record, song) == {
        "artist": "Tag", "album": "F", "title": "L", "genre": "HOUSE", "tag_genre": "POP", "year": 1999.0, "mood": "sad",
    }  # fmt: skip
    assert record == before


# FILE.csv


@pytest.mark.parametrize(
    "text",
    [
        "file,genre\na/x.mp3,rock\nb/y.mp3,pop\n",
        "\ufefffile;genre\r\na/x.mp3;rock\r\nb/y.mp3;pop\r\n",
        "Genre\tFile Name\nrock\tx.mp3\npop\ty.mp3\n",
        'index,filepath,length,label\n0,"a/x.mp3",1.5,rock\n1,"b/y.mp3",2.5,pop\n',
        ",filename,genre_top\n0,x,rock\n1,y,pop\n",
        "x.mp3,rock\ny.mp3,pop\n",
        "./a/x.mp3,rock\n.\\b\\y.mp3,pop\n",
        "music/a/x.mp3,rock\nmusic/b/y.mp3,pop\n",
        "A/X.MP3,Rock\nB/Y.Mp3,POP\n",
        "x.wav,rock\na/../b/y.flac,pop\n",
        "title,genre\nx,rock\ny,pop\n",
        "file,emotion\nx.mp3,rock\ny.mp3,pop\n",
        "file,genre,title\nx.mp3,rock\ny.mp3,pop,\"quoted \"\"title\"\", of two\nlines\"\n",
        "file\tgenre\na/x.mp3\trock; indie, too\nb/y.mp3\tpop\n",
    ],
)  # fmt: skip
def test_tables_as_people_write_them(tmp_path, caplog, text):
    music = grow(tmp_path / "music", "a/x.mp3", "b/y.mp3")
    assert genres(music, write(tmp_path / "t.csv", text)) == {"a/x.mp3": "ROCK", "b/y.mp3": "POP"}
    assert not caplog.records


def test_absolute_paths_through_a_link_and_names_with_commas(tmp_path):
    music = grow(tmp_path / "music", "a/One, Two; Three.mp3", "b/One, Two; Three.mp3")
    (tmp_path / "link").symlink_to(music)
    for place in (music, tmp_path / "link"):
        table = write(
            tmp_path / "t.csv", f'"{place}/a/One, Two; Three.mp3",rock\n"{place}/b/One, Two; Three.mp3",pop\n'
        )
        assert list(genres(music, table).values()) == ["ROCK", "POP"]


def test_paths_beside_the_table_and_letters_stored_otherwise(tmp_path):
    grow(tmp_path, unicodedata.normalize("NFD", "a/é.mp3"), "b/é.mp3", "c/ü.mp3")
    table = write(tmp_path / "a" / "t.csv", "é.mp3,rock\n../b/é.mp3,pop\nu\u0308,jazz\n")
    assert list(genres(tmp_path, table).values()) == ["ROCK", "POP", "JAZZ"]


def test_the_strictest_reading_of_a_row_decides(tmp_path):
    music = grow(tmp_path / "music", "x.mp3", "a/x.mp3", "a/X.mp3", "x.mp3.wav", "b/7.mp3", "b/007.ogg")
    table = write(
        tmp_path / "t.csv", "file,genre\nx.mp3,r\na/x.mp3,s\na/X.mp3,t\nx.mp3.wav,u\n7,v\n007,w\ngone/x.mp3,z\n"
    )
    assert genres(music, table) == {
        "a/X.mp3": "T", "a/x.mp3": "S", "b/007.ogg": "W", "b/7.mp3": "V", "x.mp3": "R", "x.mp3.wav": "U",
    }  # fmt: skip


def test_a_row_of_another_folder_names_no_song(tmp_path, caplog):
    """Paths of a collection that was moved are not guessed at, and a name alone labels a song only where it is one."""
    music = grow(tmp_path / "music", "a/x.mp3", "b/y.mp3")
    table = write(tmp_path / "t.csv", "/old/home/music/a/x.mp3,rock\ny.mp3,pop\n")
    assert genres(music, table) == {"a/x.mp3": "UNKNOWN", "b/y.mp3": "POP"}
    assert "without a song: 1," in caplog.records[1].getMessage()


def test_a_row_of_a_missing_folder_labels_no_namesake(tmp_path, caplog):
    music = grow(tmp_path / "music", "b/x.mp3", "c/y.mp3")
    table = write(tmp_path / "t.csv", "file,genre\na/x.mp3,rock\nc/y.mp3,pop\n")
    assert genres(music, table) == {"b/x.mp3": "UNKNOWN", "c/y.mp3": "POP"}
    assert [record.getMessage() for record in caplog.records] == [
        f"songs without a row in {table}, of genre UNKNOWN: 1, the first is {music.resolve()}/b/x.mp3",
        f"rows of {table} without a song: 1, the first is a/x.mp3",
    ]


def test_a_song_whose_row_has_no_genre_is_logged(tmp_path, caplog):
    music = grow(tmp_path / "music", "x.mp3", "y.mp3")
    table = write(tmp_path / "t.csv", "file,genre\nx.mp3,\ny.mp3,pop\n")
    assert genres(music, table) == {"x.mp3": "UNKNOWN", "y.mp3": "POP"}
    assert (
        caplog.records[0].getMessage() == f"songs without a genre in {table}: 1, the first is {music.resolve()}/x.mp3"
    )


def test_further_columns_are_kept_and_known_ones_win(tmp_path):
    music = grow(tmp_path / "music", "x.mp3", "y.mp3")
    table = write(
        tmp_path / "t.csv",
        "file,genre,Artist,artist_name,year,duration,mood, mood,label,,tag_genre,Valence\n"
        "x.mp3,rock,Ann,Bö,1999-05-01,30,sad,blue,Warp,7,indie,0.5\n"
        "y.mp3,pop,,,soon,,,,,,,\n",
    )
    songs = labelled(music, table)
    assert songs["x.mp3"].labels == {
        "artist": "Ann", "artist_name": "Bö", "year": 1999.0, "label_duration": "30", "mood": "sad", "mood_2": "blue",
        "label": "Warp", "column_10": "7", "label_tag_genre": "indie", "Valence": "0.5",
    }  # fmt: skip
    assert songs["y.mp3"].labels == {}
    records = [label_record({"artist": "", "tag_genre": "", "year": np.nan}, song) for song in songs.values()]
    columns = song_table(records)
    assert columns["year"].dtype == np.float64
    assert columns["mood"].tolist() == ["sad", ""]


def test_fma_tracks_as_published(tmp_path, caplog):
    music = grow(tmp_path / "fma_small", "000/000002.mp3", "000/000140.mp3", "155/155066.mp3")
    columns = pd.MultiIndex.from_tuples([
        ("album", "title"), ("album", "date_released"), ("artist", "bio"), ("artist", "name"), ("set", "subset"),
        ("track", "duration"), ("track", "genre_top"), ("track", "genres"), ("track", "title"),
    ])  # fmt: skip
    rows = {
        2: ("AWOL", "2009-01-05", "<p>A way,\nof life</p>", "AWOL", "small", 168, "Hip-Hop", "[21]", "Food"),
        140: ("Niris", None, None, "Nicky", "small", 253, "Folk", "[17]", "Queen Of The Wires"),
        155066: ("Live", None, "x", "Kurt", "large", 100, None, "[]", "Freeway"),
        155320: ("Other", None, "x", "Nobody", "large", 100, "Rock", "[]", "Elsewhere"),
    }
    table = tmp_path / "tracks.csv"
    pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("track_id").to_csv(table)
    assert [line.split(",")[0] for line in table.read_text().splitlines()[:4]] == ["", "", "track_id", "2"]
    songs = labelled(music, table)
    assert [song.genre for song in songs.values()] == ["HIP-HOP", "FOLK", "UNKNOWN"]
    assert songs["000/000002.mp3"].labels == {
        "album": "AWOL", "album_date_released": "2009-01-05", "artist_bio": "<p>A way, of life</p>", "artist": "AWOL",
        "set_subset": "small", "track_duration": "168", "track_genres": "[21]", "title": "Food",
    }  # fmt: skip
    assert [record.getMessage().split(f" {table}")[0] for record in caplog.records] == [
        "songs without a genre in", "rows of",
    ]  # fmt: skip


def test_an_ambiguous_name_names_both_songs(tmp_path):
    music = grow(tmp_path / "music", "a/x.mp3", "b/x.mp3", "c/y.mp3")
    with pytest.raises(
        UsageError, match=r"'x.mp3' is the name of 2 songs, .*a/x.mp3 and .*b/x.mp3; give their folders"
    ):
        genres(music, write(tmp_path / "t.csv", "file,genre\ny.mp3,pop\nx.mp3,rock\n"))


def test_two_genres_for_one_song_name_both_rows(tmp_path):
    music = grow(tmp_path / "music", "a/x.mp3")
    assert genres(music, write(tmp_path / "t.csv", "file,genre\nx.mp3,rock\na/x.mp3,Rock\n")) == {"a/x.mp3": "ROCK"}
    with pytest.raises(UsageError, match=r"a/x.mp3 two genres: ROCK as 'x.mp3', POP as 'a/x.mp3'"):
        genres(music, write(tmp_path / "t.csv", "file,genre\nx.mp3,rock\na/x.mp3,pop\n"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            b"file,genre\nother.mp3,rock\n",
            r"no row of .*t.csv names a song.*'file' begins with 'other.mp3'.*is a/x.mp3",
        ),
        (b"file,genre\n", "no row of"),
        (b"", "not a CSV table"),
        (b"\n\n", "not a CSV table"),
        (b"x.mp3\n", "one column"),
        (b"file,mood,tempo\nx.mp3,sad,1\n", "no column of genres among file, mood, tempo"),
        (b"file,genre\nx.mp3,rock,more,columns\n", "not a CSV table.*line 2"),
        (b'file,genre\n"x.mp3,rock\n', "not a CSV table"),
        ("file,genre\nx.mp3,électro\n".encode("latin-1"), r"not UTF-8 text \(byte 18\)"),
        ("file,genre\nx.mp3,rock\n".encode("utf-16"), "not UTF-8 text"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(tmp_path, content, line):
    music = grow(tmp_path / "music", "a/x.mp3")
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UsageError, match=line):
        genres(music, tmp_path / "t.csv")


def test_labels_that_are_not_a_file_name_the_choices(tmp_path):
    grow(tmp_path, "a/x.mp3")
    for labels in ("folders", str(tmp_path)):
        with pytest.raises(UsageError, match="give folder, tag or a CSV file"):
            genres(tmp_path, labels)


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).map(
    lambda text: " ".join(text.split())
)
stems = texts.map(lambda text: "s" + text.replace("/", "").replace("\\", "") + "e")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.dictionaries(stems, st.tuples(texts, texts), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_whatever_a_table_holds_is_kept(tmp_path, rows, delimiter, encoding, quoting):
    rows = {unicodedata.normalize("NFC", stem).casefold(): row for stem, row in rows.items()}
    with (tmp_path / "t.csv").open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, quoting=quoting)
        writer.writerow(["file", "genre", "mood", "title"])
        writer.writerows([f"{stem}.mp3", "rock", mood, title] for stem, (mood, title) in rows.items())
    paths = sorted(tmp_path / f"{stem}.mp3" for stem in rows)
    songs = label_songs(paths, tmp_path, str(tmp_path / "t.csv"))
    assert [song.path for song in songs] == paths
    for song in songs:
        mood, title = rows[song.path.name.removesuffix(".mp3")]
        assert song.labels == {name: text for name, text in (("mood", mood), ("title", title)) if text}
        assert song.genre == "ROCK"
        assert {*song.labels} - {"mood"} <= set(SONG_COLUMNS)
