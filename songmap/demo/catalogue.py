"""Who plays what in the synthesised demo corpus: artists with their own sound, albums and titles.

All names are invented. ``plan_corpus(seed)`` gives one ``Plan`` per track: what is fixed here, and what
the seed decides (tempo, key, brightness, loudness). Tempo, mode, brightness and loudness overlap between
the genres on purpose, and two artists stand between them (``hybrid``).
"""

from dataclasses import dataclass, replace

import numpy as np

from songmap.demo.harmony import Key
from songmap.demo.instruments import Patch

SUFFIXES = (".mp3", ".ogg", ".flac", ".wav")
ITALODANCE, TRANCE = "ITALODANCE", "TRANCE"

_LEADS = {
    "square": Patch("square", 2, 9, 0.3, 7000, 3200, 0.12, decay_s=0.25, sustain=0.55),
    "pulse": Patch("pulse", 3, 14, 0.5, 9000, 4000, 0.1, resonance=0.4, decay_s=0.2, sustain=0.5),
    "vowel": Patch("vowel", 3, 10, 0.4, 9000, 9000, attack_s=0.015, decay_s=0.4, sustain=0.75),
    "organ": Patch("organ", 2, 5, 0.3, 9000, 9000, decay_s=0.15, sustain=0.6, release_s=0.05),
    "saw": Patch("saw", 3, 12, 0.5, 9000, 3500, 0.15, resonance=0.3, decay_s=0.3, sustain=0.6),
    "supersaw": Patch("saw", 7, 22, 0.9, 12000, 6000, 0.25, attack_s=0.006, decay_s=0.5, sustain=0.8, release_s=0.2),
    "glass": Patch("triangle", 2, 6, 0.5, 9000, 2500, 0.2, decay_s=0.5, sustain=0.35, release_s=0.25),
    "wide": Patch("pulse", 5, 18, 0.9, 10000, 5000, 0.3, attack_s=0.01, decay_s=0.6, sustain=0.7, release_s=0.2),
}
_BASSES = {
    "round": Patch("saw", 1, 0, 0, 1400, 350, 0.05, decay_s=0.15, sustain=0.6, release_s=0.03, sub=0.3),
    "square": Patch("square", 1, 0, 0, 1800, 500, 0.06, decay_s=0.2, sustain=0.6, release_s=0.03),
    "growl": Patch("saw", 2, 8, 0.2, 2800, 700, 0.07, resonance=0.8, decay_s=0.12, sustain=0.5, release_s=0.03),
    "deep": Patch("triangle", 1, 0, 0, 900, 400, 0.05, decay_s=0.2, sustain=0.8, release_s=0.04, sub=0.5),
    "pluck": Patch("saw", 1, 0, 0, 3500, 250, 0.035, resonance=0.5, decay_s=0.08, sustain=0.4, release_s=0.03, sub=0.2),
}
_CHORDS = {
    "piano": Patch("piano", 2, 3, 0.4, 7000, 1800, 0.25, attack_s=0.002, decay_s=0.5, sustain=0.15, release_s=0.12),
    "organ": Patch("organ", 2, 5, 0.5, 6000, 6000, decay_s=0.12, sustain=0.5, release_s=0.05),
    "brass": Patch("saw", 3, 12, 0.7, 6000, 2000, 0.12, decay_s=0.2, sustain=0.4, release_s=0.06),
    "supersaw": Patch("saw", 7, 20, 0.9, 9000, 4500, 0.2, decay_s=0.3, sustain=0.7, release_s=0.08),
    "strings": Patch("saw", 5, 14, 1.0, 4200, 4200, attack_s=0.05, decay_s=0.5, sustain=0.9, release_s=0.25),
}
_PADS = {
    "warm": Patch("saw", 5, 14, 1.0, 2600, 2600, attack_s=0.35, sustain=1.0, release_s=0.7),
    "bright": Patch("saw", 7, 24, 1.0, 6500, 6500, attack_s=0.2, sustain=1.0, release_s=0.6),
    "choir": Patch("vowel", 5, 16, 1.0, 7000, 7000, attack_s=0.3, sustain=1.0, release_s=0.6),
    "hollow": Patch("pulse", 4, 12, 0.9, 3500, 3500, attack_s=0.25, sustain=1.0, release_s=0.6),
}
_ARPS = {
    "pluck": Patch("saw", 2, 10, 0.6, 8000, 900, 0.06, resonance=0.4, decay_s=0.12, sustain=0.2, release_s=0.12),
    "glass": Patch("triangle", 2, 6, 0.7, 9000, 2500, 0.08, decay_s=0.15, sustain=0.2, release_s=0.2),
    "acid": Patch("saw", 1, 0, 0, 5000, 600, 0.05, resonance=1.6, decay_s=0.15, sustain=0.4, release_s=0.05),
    "square": Patch("square", 2, 8, 0.6, 6000, 1500, 0.07, decay_s=0.12, sustain=0.25, release_s=0.1),
}


@dataclass(frozen=True)
class Artist:
    """An invented act: names, habits of composing, instruments, mix. Levels are amplitudes relative to the kick."""

    name: str
    genre: str
    albums: tuple[tuple[str, int, tuple[str, ...]], ...]  # album, year, titles
    tempo_bpm: tuple[int, int]
    form: str  # see composer.FORMS
    hook: str  # see composer.HOOK_RHYTHMS
    bass_line: str  # see composer.BASS_LINES
    chord_rhythm: str  # see composer.CHORD_RHYTHMS
    arp_shape: str  # see composer.ARP_SHAPES
    hats: str  # see composer.HATS
    lead: Patch
    bass: Patch
    chords: Patch
    pad: Patch
    arp: Patch
    kick_decay_s: float = 0.12
    kick_click: float = 0.5
    kick_drive: float = 2.0
    hat_hz: float = 8000.0
    clap_hz: float = 1100.0
    room_s: float = 1.2
    room_level: float = 0.2
    delay_beats: float = 0.75
    delay_level: float = 0.25
    duck_depth: float = 0.6
    major_share: float = 0.25
    hybrid: bool = False


@dataclass(frozen=True)
class Plan:
    """One track to make. ``index`` is its place in the corpus, ``tilt_db`` brightens, ``drive`` makes dense."""

    artist: Artist
    title: str
    album: str
    year: int
    index: int
    suffix: str
    seed: int
    tempo_bpm: int
    key: Key
    tilt_db: float
    drive: float
    peak: float

    @property
    def path(self) -> str:
        """Place within the corpus' folder."""
        return f"{self.artist.genre}/{self.artist.name} - {self.title}{self.suffix}"


_LUNA_VELOCE = Artist("Luna Veloce", ITALODANCE,
    (("Città di Notte", 2001, ("Città di Notte", "Corri con Me")),
     ("Blu Elettrico", 2003, ("Blu Elettrico", "L'Ultima Estate"))),
    (126, 136), "song", "syncopated", "offbeat", "offbeat", "broken", "eighths",
    _LEADS["square"], _BASSES["round"], _CHORDS["piano"], _PADS["warm"], _ARPS["square"],
)  # fmt: skip
_MISTRAL_NORD = Artist("Mistral Nord", TRANCE,
    (("Couleurs du Ciel", 2004, ("Été sans fin", "Couleurs du Ciel")),
     ("À l'horizon", 2007, ("À l'horizon", "Mistral"))),
    (130, 140), "journey", "soaring", "rolling", "gate", "up", "sixteenths",
    _LEADS["supersaw"], _BASSES["pluck"], _CHORDS["supersaw"], _PADS["bright"], _ARPS["pluck"],
    kick_decay_s=0.1, kick_click=0.7, hat_hz=8500, room_s=2.2, room_level=0.42, delay_level=0.4, duck_depth=0.75,
    major_share=0.15)  # fmt: skip

ARTISTS: tuple[Artist, ...] = (
    _LUNA_VELOCE,
    replace(_LUNA_VELOCE, name="Marco Fiamma", tempo_bpm=(130, 140),
        albums=(("Radio Adriatico", 1999, ("Onda su Onda", "Perché No")),
                ("Fuoco Lento", 2002, ("Fuoco Lento", "Balla, Balla, Sofia"))),
        hook="staccato", bass_line="gallop", chord_rhythm="clave", lead=_LEADS["organ"], bass=_BASSES["square"],
        chords=_CHORDS["organ"], pad=_PADS["hollow"], kick_drive=3.0, clap_hz=900, delay_level=0.15, duck_depth=0.45),
    replace(_LUNA_VELOCE, name="Neon Riviera", tempo_bpm=(127, 137),
        albums=(("Plastic Hearts", 2000, ("Call Me Tonight", "Plastic Hearts")),
                ("Dancing in July", 2005, ("Dancing in July", "Sunset over Rimini"))),
        hook="syncopated", bass_line="octaves", chord_rhythm="clave", lead=_LEADS["vowel"], bass=_BASSES["deep"],
        pad=_PADS["choir"], room_s=1.5, room_level=0.22, hat_hz=9500, major_share=0.5),
    replace(_LUNA_VELOCE, name="Gemelli 99", tempo_bpm=(132, 142),
        albums=(("Gira Gira", 1999, ("Gira Gira", "Più in Alto")),
                ("Cuore Digitale", 2001, ("Cuore Digitale", "Sette Secondi"))),
        hats="offbeat", hook="staccato", lead=_LEADS["pulse"], bass=_BASSES["square"], chords=_CHORDS["brass"],
        arp=_ARPS["acid"],
        kick_decay_s=0.09, kick_click=0.9, hat_hz=7000, delay_beats=0.5, duck_depth=0.7),
    replace(_LUNA_VELOCE, name="Stella Cadente Project", tempo_bpm=(128, 138),
        albums=(("Così Sia", 2002, ("Andrò Lontano", "Così Sia")),
                ("Forever Saturday", 2006, ("Forever Saturday", "Stella Cadente"))),
        hats="sixteenths", form="mixed", lead=_LEADS["saw"], bass=_BASSES["pluck"], chords=_CHORDS["supersaw"],
        pad=_PADS["bright"],
        arp=_ARPS["glass"], room_s=1.7, room_level=0.27, delay_level=0.3, duck_depth=0.7),
    replace(_LUNA_VELOCE, name="Kobra Lido", tempo_bpm=(129, 139),
        albums=(("È Già Mattina", 2000, ("È Già Mattina", "Luci sul Molo")),
                ("Robot Innamorato", 2004, ("Robot Innamorato", "Zanzara"))),
        hook="syncopated", bass_line="gallop", lead=_LEADS["wide"], bass=_BASSES["square"], chords=_CHORDS["strings"],
        pad=_PADS["choir"], kick_decay_s=0.15, hat_hz=7500, clap_hz=1500, delay_beats=0.5, major_share=0.0),
    _MISTRAL_NORD,
    replace(_MISTRAL_NORD, name="Aurora Vale", tempo_bpm=(131, 141),
        albums=(("First Light", 2003, ("First Light", "Ninth Meridian")),
                ("Salt and Starlight", 2008, ("Salt and Starlight", "Beneath the Ice"))),
        arp_shape="updown", lead=_LEADS["glass"], bass=_BASSES["deep"], chords=_CHORDS["strings"], pad=_PADS["choir"],
        arp=_ARPS["glass"], room_s=2.6, room_level=0.48, kick_click=0.4, hat_hz=9500),
    replace(_MISTRAL_NORD, name="Kaarna", tempo_bpm=(134, 142),
        albums=(("Revontulet", 2001, ("Yötön yö", "Revontulet")),
                ("Pohjantähti", 2005, ("Hiljainen järvi", "Pohjantähti"))),
        hats="shuffle", bass_line="rolling octaves", arp_shape="skip", lead=_LEADS["saw"], bass=_BASSES["growl"],
        pad=_PADS["hollow"],
        arp=_ARPS["acid"], kick_drive=3.0, hat_hz=7000, room_s=1.8, room_level=0.32, major_share=0.0),
    replace(_MISTRAL_NORD, name="Solaris Drift", tempo_bpm=(128, 138),
        albums=(("Gravity Well", 2009, ("Gravity Well", "Parallax")),
                ("Long Way Home", 2012, ("Orbit Decay", "Long Way Home"))),
        lead=_LEADS["wide"], bass=_BASSES["round"], pad=_PADS["warm"], arp_shape="broken",
        chord_rhythm="offbeat", kick_decay_s=0.15, delay_beats=0.5, duck_depth=0.65),
    replace(_MISTRAL_NORD, name="Nordlicht Allee", tempo_bpm=(132, 140),
        albums=(("Traumfänger", 2000, ("Fernweh", "Traumfänger")),
                ("Über den Dächern", 2004, ("Über den Dächern", "Glasmeer"))),
        hats="eighths", form="mixed", hook="staccato", arp_shape="up", lead=_LEADS["square"],
        chords=_CHORDS["piano"], pad=_PADS["warm"],
        arp=_ARPS["square"], delay_level=0.25, major_share=0.4),
    replace(_MISTRAL_NORD, name="Wierzba i Sól", tempo_bpm=(130, 138),
        albums=(("Światło", 2006, ("Światło", "Droga na północ")), ("Cisza", 2010, ("Cisza", "Lato w Gdańsku"))),
        hats="shuffle", arp_shape="updown", lead=_LEADS["vowel"], bass=_BASSES["round"], chords=_CHORDS["brass"],
        clap_hz=900,
        kick_decay_s=0.13, kick_click=0.5, duck_depth=0.6),
    replace(_LUNA_VELOCE, name="Confine Aperto", tempo_bpm=(130, 138), hybrid=True,
        albums=(("Tra Due Mondi", 2003, ("Tra Due Mondi", "Mezzanotte a Metà")),),
        hats="sixteenths", form="mixed", hook="syncopated", bass_line="rolling", chord_rhythm="gate",
        arp_shape="updown",
        lead=_LEADS["supersaw"], bass=_BASSES["growl"], chords=_CHORDS["supersaw"], pad=_PADS["bright"],
        arp=_ARPS["pluck"], room_s=1.9, room_level=0.3, delay_level=0.3),
    replace(_MISTRAL_NORD, name="Zwischenraum", tempo_bpm=(129, 137), hybrid=True,
        albums=(("Halfway Signal", 2005, ("Halfway Signal", "Piazza am Meer")),),
        hats="eighths", form="mixed", hook="syncopated", bass_line="offbeat", chord_rhythm="clave", arp_shape="broken",
        lead=_LEADS["pulse"], bass=_BASSES["round"], chords=_CHORDS["piano"], pad=_PADS["warm"], arp=_ARPS["square"],
        room_s=1.5, room_level=0.24, delay_level=0.3),
)  # fmt: skip


def plan_corpus(seed: int) -> list[Plan]:
    """All 52 tracks, the artists' formats taking turns. The same seed gives the same plans."""
    plans: list[Plan] = []
    for artist in ARTISTS:
        for album, year, titles in artist.albums:
            for title in titles:
                index = len(plans)
                rng = np.random.default_rng([seed, index, 0])
                mode = "major" if rng.random() < artist.major_share else "minor"
                plans.append(
                    Plan(
                        artist, title, album, year, index, SUFFIXES[index % len(SUFFIXES)], seed,
                        tempo_bpm=int(rng.integers(artist.tempo_bpm[0], artist.tempo_bpm[1] + 1)),
                        key=Key(int(rng.integers(12)), mode),
                        tilt_db=round(float(rng.uniform(-2.5, 2.5)), 2),
                        drive=round(float(rng.uniform(0.8, 1.3)), 2),
                        peak=round(float(rng.uniform(0.6, 0.89)), 3),
                    )
                )  # fmt: skip
    return plans
