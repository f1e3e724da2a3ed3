"""How a tool ends: with its exit status, or with a sentence instead of a traceback if a command that it calls fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Callable


def end_with(main: Callable[[], int | None]) -> None:
    tool = Path(sys.argv[0]).name
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        for said in (failed.stdout, failed.stderr):  # None unless the tool has captured it
            if said:
                print(said.decode(errors="replace") if isinstance(said, bytes) else said, file=sys.stderr)
        words = failed.cmd if isinstance(failed.cmd, str) else " ".join(map(str, failed.cmd))
        sys.exit(f"{tool}: `{words}` ended with status {failed.returncode}")
    except FileNotFoundError as missing:
        sys.exit(f"{tool}: there is no {missing.filename}")
