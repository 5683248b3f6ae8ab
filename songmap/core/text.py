"""Numbers, durations and names as people read them."""

import os
import re
import textwrap
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

# a space between a number and its unit, where no line may end
UNIT_SPACE = r" (?<=\d )(?=(?:%|ms|s|min|h|k?Hz|dB|BPM|SD|[kMG]B)(?!\w))"
# surrogates that no byte of a file name becomes
_LONE_SURROGATES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_LINE_BREAKS = re.compile("\r\n?")
_NO_FILE_NAME = re.compile(r"[^\w-]+")
_MAX_FILE_NAME_BYTES = 150
# C0 but the line break, DEL and C1; line and paragraph separators; what embeds, overrides or isolates a direction
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# typographic quotes and dashes as a keyboard writes them; letters that are not accented ones in Unicode;
# emoji with and without the variation selector for colour
_PLAIN = str.maketrans("‘’ʼ′“”„‐‑–—øłđıð", "''''\"\"\"----oldid", "\ufe0e\ufe0f") | {ord("æ"): "ae", ord("œ"): "oe"}
_ACCENTS = re.compile("[\u0300-\u036f]+")


def shorten(text: str, limit: int) -> str:
    """``text`` cut in its middle to at most ``limit`` characters, so that both ends can be recognised.

    Between words where that takes less than half of an end.

    Examples
    --------
    >>> shorten("Forever Saturday – Stella Cadente Project", 30)
    'Forever Saturday –… Project'
    """
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    tail = len(text) - (limit - 1 - head)
    space = text.rfind(" ", 0, head + 1)
    start = text[: space if space >= head / 2 else head].rstrip()
    space = text.find(" ", tail - 1)
    end = text[space if 0 <= space < (tail + len(text)) / 2 else tail :]
    return f"{start}…{end if end[:1] == ' ' and len(start) + 1 + len(end) <= limit else end.lstrip()}"


def normalise(text: str) -> str:
    """``text`` without case, accents, typographic signs and repeated spaces; other scripts stay whole."""
    text = text.casefold()
    if not text.isascii():
        plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_PLAIN)))
        text = unicodedata.normalize("NFC", plain)
    return " ".join(text.split())


def joined(parts: Sequence[str], word: str = "and") -> str:
    """ "a, b and c"."""
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}" if len(parts) > 1 else parts[0]


def shown_path(path: str | Path) -> str:
    """A path as people read it: from the current folder, where that is shorter."""
    try:
        below = os.path.relpath(path)
    except (ValueError, OSError):  # on another drive; or the current folder was removed
        return str(path)
    return min(str(path), below, key=len)


def file_name(name: str, used: Collection[str] = ()) -> str:
    """A part of a file name that reads like ``name``, unlike those ``used``, which are casefolded.

    Examples
    --------
    >>> file_name("Elf Land – A/B"), file_name("Elf", {"elf"})
    ('Elf_Land_A_B', 'Elf_2')
    """
    plain = _NO_FILE_NAME.sub("_", name).strip("_") or "song"
    plain = plain.encode("utf-8", "ignore")[:_MAX_FILE_NAME_BYTES].decode("utf-8", "ignore")
    unique, number = plain, 2
    while unique.casefold() in used:
        unique, number = f"{plain}_{number}", number + 1
    return unique


def capitalised(text: str) -> str:
    """``text`` with its first letter in upper case, the others as they are."""
    return text[:1].upper() + text[1:]


def readable(text: str) -> str:
    """``text`` as it can be printed and written, whatever file, tag or message it comes from.

    � is shown for bytes that are not UTF-8, for control characters, which a terminal would obey, and for characters
    that reverse what follows them; a tab becomes a space. Line breaks remain: see ``one_line``.

    Examples
    --------
    >>> readable("caf\\udce9\\x1b[31m")
    'caf��[31m'
    """
    if text.isprintable():
        return text
    decoded = _LONE_SURROGATES.sub("�", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return UNSAFE.sub("�", _LINE_BREAKS.sub("\n", decoded).replace("\t", " "))


def one_line(text: str) -> str:
    """``text`` as it can be printed, see ``readable``, without line breaks and repeated spaces."""
    return " ".join(readable(text).split())


def wrapped(text: str, width: int = 80) -> str:
    """Sentences in lines of at most ``width`` characters, broken between words only, and not before a unit."""
    kept = re.sub(UNIT_SPACE, "\u00a0", text)
    lines = textwrap.fill(kept, width, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")
    return lines.replace("\u00a0", " ")


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


def signed(value: float, digits: int = 0) -> str:
    """A change with its sign; none where it is 0 as rounded.

    Examples
    --------
    >>> signed(5.61, 1), signed(-0.834, 2), signed(-0.3)
    ('+5.6', '−0.83', '0')
    """
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def p_value_text(p_value: float) -> str:
    """A p-value in two significant digits.

    Examples
    --------
    >>> p_value_text(0.0312), p_value_text(0.998), p_value_text(2e-9)
    ('0.031', '1', '< 0.001')
    """
    return "< 0.001" if p_value < 0.001 else f"{p_value:.2g}"
