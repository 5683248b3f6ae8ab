"""Progress where stderr is not a terminal: a line every ten minutes, with the rate."""

from songmap.core import progress


def test_a_log_gets_a_line_every_ten_minutes(capsys, monkeypatch):
    seconds = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds)
    with progress.progress("extracting") as on_progress:
        on_progress(10, 5000)
        for done in range(11, 3010):
            seconds += 0.5
            on_progress(done, 5000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["extracting: 1210 of 5000 2.0/s", "extracting: 2410 of 5000 2.0/s"]


def test_there_is_no_rate_in_the_first_second(monkeypatch):
    times = iter([0.0, 0.0001, 0.0002, 2.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    rate = progress._Rate()
    assert [rate.of(done) for done in range(1, 5)] == ["", "", "", "1.5/s"]
