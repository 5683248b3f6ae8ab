"""Numbers, durations and names as people read them."""

import textwrap
from collections.abc import Sequence


def shorten(text: str, limit: int) -> str:
    """``text`` cut in its middle to at most ``limit`` characters, so that both ends can be recognised."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head].rstrip()}…{text[len(text) - (limit - 1 - head) :].lstrip()}"


def joined(parts: Sequence[str], word: str = "and") -> str:
    """ "a, b and c"."""
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}" if len(parts) > 1 else parts[0]


def capitalised(text: str) -> str:
    """``text`` with its first letter in upper case, the others as they are."""
    return text[:1].upper() + text[1:]


def readable(text: str) -> str:
    """A name from the file system with bytes that are not UTF-8 shown as �."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def wrapped(text: str, width: int = 80) -> str:
    """Sentences in lines of at most ``width`` characters, broken between words only."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")


def count_of_songs(number: int) -> str:
    """ "1 song", "1,234 songs"."""
    return f"{number:,} song{'s' * (number != 1)}"


def quantity(value: float) -> str:
    """Three significant digits, whole from 100 upward."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def format_duration(seconds: float) -> str:
    """``h:mm:ss`` or ``m:ss``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def hertz_range(low_hz: float, high_hz: float) -> str:
    """ "361–671 Hz", "26 Hz–10.7 kHz", or one frequency where both have the same text."""
    (low, low_unit), (high, high_unit) = (
        (f"{hertz / 1000:.1f}", "kHz") if hertz >= 1000 else (f"{hertz:.0f}", "Hz") for hertz in (low_hz, high_hz)
    )
    if low_unit != high_unit:
        return f"{low} {low_unit}–{high} {high_unit}"
    return f"{low} {low_unit}" if low == high else f"{low}–{high} {high_unit}"


def percent(share: float) -> str:
    """A share 0 … 1 in whole percent; "<1 %" and ">99 %" for a share that is not exactly 0 or 1."""
    if 0 < share < 0.01:
        return "<1 %"
    return ">99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"
