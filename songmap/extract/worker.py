"""A process that analyses songs for another: a decoder that crashes or hangs ends this process and nothing else.

``python -m songmap.extract.worker NICE PARENT`` reads requests from standard input and answers on standard output,
a line of JSON each, the first answer being ``{}`` when it is ready. songmap.extract.workers is the other end.

It ends when the process ``PARENT`` or standard input ends, whatever it is doing. On Linux its address space is limited
while it analyses: what needs more is that file's failure, and takes no memory from others.

==========  ================================================================================
request     ``task`` ("embed" or "identify"), ``path``, ``config``, ``engine``, ``segments``, ``timeout_s``
answer      ``failure`` and its ``cause`` ("audio", "memory" or "defect"; the other end adds "time" and "crash"),
            with ``duration_s`` of a file that is too short; or the task's result: ``content``, ``record``,
            ``embedding`` (base64), with segments also ``bounds_s`` and ``segment_embeddings`` (base64)
==========  ================================================================================
"""

import base64
import ctypes
import faulthandler
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from songmap.core.cli import ENDING_SIGNALS
from songmap.core.errors import AudioError, TooShortError
from songmap.extract.content import content_of
from songmap.features import analysis, frames
from songmap.features.decode import opened, read_audio
from songmap.features.reference import reference_embedding
from songmap.features.segments import segment
from songmap.features.signal import Signal
from songmap.library.schema import AudioConfig
from songmap.library.segments import SegmentSettings

if sys.platform == "linux":
    import resource

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
# measured over what a worker has mapped before: decoding takes 154 MB at most, of MP3, FLAC, Ogg and WAV up to 3 hours;
# then the analysis takes 80 MB, or 64 kB/s where that is more, and librosa 4.3 MB/s
READING_BYTES = 1 << 30
ANALYSIS_BYTES_PER_S = {"songmap": 1 << 18, "librosa": 1 << 24}


def embed(path: Path, config: AudioConfig, engine: str, settings: SegmentSettings | None) -> dict[str, Any]:
    """Content hash, record and embedding of a file, and its segments where there are settings for some."""
    with opened(path) as file:
        limit_memory(READING_BYTES)
        signal = read_audio(file, config)
        content, metadata = content_of(file)
        tags = analysis.describe(file, path, metadata)
    limit_memory(READING_BYTES + int(ANALYSIS_BYTES_PER_S[engine] * len(signal) / config.sample_rate_hz))
    song = analysis.analyse_signal(signal, config, tags)
    embedding = reference_embedding(song) if engine == "librosa" else song.embedding
    result = {"content": content, "record": song.record, "embedding": _packed(embedding)}
    if settings is not None:
        segments = segment(song.frames, song.record["duration"], config, settings)
        result |= {"bounds_s": segments.bounds_s.tolist(), "segment_embeddings": _packed(segments.embeddings)}
    return result


def _packed(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.tobytes()).decode()


def identify(path: Path, config: AudioConfig, engine: str, settings: SegmentSettings | None) -> dict[str, Any]:
    """Content hash of a file, its name and tags: enough to recognise it without decoding."""
    with opened(path) as file:
        limit_memory(READING_BYTES)
        content, metadata = content_of(file)
        return {"content": content, "record": analysis.describe(file, path, metadata)}


TASKS = {"embed": embed, "identify": identify}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The task's result, or the reason why there is none."""
    try:
        task = TASKS[request["task"]]
        settings = SegmentSettings(**request["segments"]) if request.get("segments") else None
        return task(Path(request["path"]), AudioConfig(**request["config"]), request["engine"], settings)
    except TooShortError as error:
        return {"failure": str(error), "cause": "audio", "duration_s": error.duration_s}
    except AudioError as error:
        return {"failure": str(error), "cause": "audio"}
    except MemoryError:
        return {"failure": "needs more memory than a song of its length may take, or than there is", "cause": "memory"}
    except Exception as error:  # a defect of ours costs one song, with its name, and not the run
        failure = f"the analysis failed ({type(error).__name__}: {error}); please report it"
        return {"failure": failure, "cause": "defect"}


def limit_memory(n_bytes: int) -> None:
    """Let this process map at most ``n_bytes`` more than it has. Other systems than Linux do not hold such a limit."""
    if sys.platform == "linux":
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = mapped + n_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def end_with_parent(parent: int) -> None:
    """Have Linux kill this process when the thread that started it ends; elsewhere the end of standard input must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended before
            sys.exit(1)


def requests() -> Iterator[dict[str, Any]]:
    """What standard input asks for. Its end ends the process, also while it analyses: nobody waits for an answer."""
    lines: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield json.loads(lines.get())


def main(nice: int, parent: int) -> None:
    """Serve until standard input ends. A song that takes longer than its ``timeout_s`` ends the process."""
    end_with_parent(parent)
    if hasattr(os, "nice"):
        os.nice(nice)
    for number in ENDING_SIGNALS:  # they are for the run, which lets the current songs finish
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers, os.fdopen(os.dup(nowhere), "w") as silence:
        os.dup2(nowhere, 1)
        config = AudioConfig()  # compiles and loads everything, which must not count as the first song's time
        frames.analyse(Signal.of(np.sin(np.arange(2.0 * config.sample_rate_hz))), config)
        os.dup2(nowhere, 2)  # decoders print notes on damaged files there, without naming the file
        print("{}", file=answers, flush=True)
        for request in requests():
            # a thread in C, which a decoder that never returns cannot keep from ending the process
            faulthandler.dump_traceback_later(request["timeout_s"], exit=True, file=silence)
            result = answer(request)
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
