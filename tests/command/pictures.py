"""Plays a scene on a pseudo-terminal and prints what a terminal gets to see.

Called with the path of the binary, the config, the arguments and pairs of what to wait for and what to type then, as
one JSON object.
"""

import fcntl
import json
import os
import pty
import select
import shutil
import struct
import sys
import tempfile
import termios

scene = json.loads(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    config = shutil.copy(scene["config"], os.path.join(folder, "config.toml"))
    os.chmod(config, 0o600)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        # The size is there before anything is drawn.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", scene["rows"], scene["columns"], 0, 0))
        environment = {"HOME": folder, "PATH": os.environ["PATH"], "TERM": "xterm-256color", "CONFIG_FILE": "config.toml"}
        os.execve(scene["binary"], ["runner-auth", *scene["arguments"]], environment)
    seen, answered = b"", 0
    for expected, typed in [*scene["steps"], (None, None)]:
        while expected is None or expected.encode() not in seen[answered:]:
            if not select.select([terminal], [], [], 20)[0]:
                raise SystemExit(f"no {expected!r} within 20 s after {seen!r}")
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                piece = b""
            if not piece:
                break
            seen += piece
        if typed is not None:
            answered = len(seen)
            os.write(terminal, typed.encode())
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise SystemExit(f"it ended with {status} after {seen!r}")
    sys.stdout.buffer.write(seen)
