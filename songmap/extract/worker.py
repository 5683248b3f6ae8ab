"""A process that analyses songs for another: a decoder that crashes or hangs ends this process and nothing else.

``python -m songmap.extract.worker NICE`` reads requests from standard input and answers on standard output,
a line of JSON each, the first answer being ``{}`` when it is ready. songmap.extract.workers is the other end.

==========  ================================================================================
request     ``task`` ("embed" or "identify"), ``path``, ``config``, ``engine``, ``timeout_s``
answer      ``failure`` and its ``cause`` ("audio", "memory" or "defect"; the other end adds "time" and "crash"),
            or the task's result: ``content``, ``record``, ``embedding`` (base64)
==========  ================================================================================
"""

import base64
import faulthandler
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from songmap.core.errors import AudioError
from songmap.extract.content import content_hash
from songmap.features import analysis, frames
from songmap.features.reference import reference_embedding
from songmap.features.signal import Signal
from songmap.library.schema import AudioConfig


def embed(path: Path, config: AudioConfig, engine: str) -> dict[str, Any]:
    """Content hash, record and embedding of a file."""
    song = analysis.analyse_file(path, config)
    embedding = reference_embedding(song) if engine == "librosa" else song.embedding
    packed = base64.b64encode(embedding.tobytes()).decode()
    return {"content": content_hash(path), "record": song.record, "embedding": packed}


def identify(path: Path, config: AudioConfig, engine: str) -> dict[str, Any]:
    """Content hash of a file, its name and tags: enough to recognise it without decoding."""
    return {"content": content_hash(path), "record": analysis.describe_file(path)}


TASKS = {"embed": embed, "identify": identify}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The task's result, or the reason why there is none."""
    try:
        task = TASKS[request["task"]]
        return task(Path(request["path"]), AudioConfig(**request["config"]), request["engine"])
    except AudioError as error:
        return {"failure": str(error), "cause": "audio"}
    except MemoryError:
        return {"failure": "needs more memory than there is", "cause": "memory"}
    except Exception as error:  # a defect of ours costs one song, with its name, and not the run
        failure = f"the analysis failed ({type(error).__name__}: {error}); please report it"
        return {"failure": failure, "cause": "defect"}


def main(nice: int) -> None:
    """Serve until standard input ends. A song that takes longer than its ``timeout_s`` ends the process."""
    if hasattr(os, "nice"):
        os.nice(nice)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which lets the current songs finish
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers, os.fdopen(os.dup(nowhere), "w") as silence:
        os.dup2(nowhere, 1)
        config = AudioConfig()  # compiles and loads everything, which must not count as the first song's time
        frames.analyse(Signal.of(np.sin(np.arange(2.0 * config.sample_rate_hz))), config)
        os.dup2(nowhere, 2)  # decoders print notes on damaged files there, without naming the file
        print("{}", file=answers, flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            # a thread in C, which a decoder that never returns cannot keep from ending the process
            faulthandler.dump_traceback_later(request["timeout_s"], exit=True, file=silence)
            result = answer(request)
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
