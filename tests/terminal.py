"""Drives the command through a pseudo-terminal, as a person would.

Called with the path of the binary. Prints one line per scene and exits with 1 at the first that
does not end as it should.
"""

import os
import pty
import select
import signal
import sys
import tempfile
import termios

BINARY = sys.argv[1]
CONFIG = b'[[runners]]\n  name = "one"\n  token = "4qCqD8pEoxyzAbCdEf12"\n  executor = "docker"\n'
PASSWORD = b"Harbor12345"
AUTH = b"YWRtaW46SGFyYm9yMTIzNDU="
SET = ["set", "-c", "config.toml", "-r", "r.io", "-u", "admin"]


def run(arguments, steps, piped=None):
    """Runs the command; `steps` are pairs of what to wait for and what to type then."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "config.toml")
        with open(path, "wb") as file:
            file.write(CONFIG)
        stamp = os.stat(path).st_mtime_ns
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            if piped is not None:
                reader, writer = os.pipe()
                os.write(writer, piped)
                os.close(writer)
                os.dup2(reader, 0)
            os.execv(BINARY, [BINARY, *arguments])
        echo = termios.tcgetattr(terminal)[3] & termios.ECHO
        seen = b""
        for expected, typed in [*steps, (None, None)]:
            while expected is None or expected not in seen:
                ready, _, _ = select.select([terminal], [], [], 10)
                if not ready:
                    raise SystemExit(f"no {expected!r} within 10 s after {seen!r}")
                try:
                    piece = os.read(terminal, 4096)
                except OSError:
                    piece = b""
                if not piece:
                    break
                seen += piece
            if typed is not None:
                os.write(terminal, typed)
        sane = termios.tcgetattr(terminal)[3] & termios.ECHO == echo
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        with open(path, "rb") as file:
            after = file.read()
        left = sorted(os.listdir(folder))
        return {
            "seen": seen,
            "status": status,
            "code": os.waitstatus_to_exitcode(status),
            "after": after,
            "touched": os.stat(path).st_mtime_ns != stamp,
            "left": left,
            "sane": sane,
        }


def scene(name, found, code, written):
    problems = []
    if found["code"] != code:
        problems.append(f"status {found['code']} and not {code}")
    if (AUTH in found["after"]) != written:
        problems.append("written" if not written else "not written")
    if not written and (found["after"] != CONFIG or found["touched"]):
        problems.append("the file was touched")
    if found["left"] != ["config.toml"]:
        problems.append(f"litter: {found['left']}")
    if not found["sane"]:
        problems.append("the terminal does not echo any more")
    for secret in (PASSWORD, AUTH, b"SGFyYm9y", b"xyzAbCdEf12"):
        if secret in found["seen"]:
            problems.append(f"prints {secret}")
    if problems:
        raise SystemExit(f"{name}: {', '.join(problems)}\n{found['seen'].decode(errors='replace')}")
    print(f"{name}: fine")


QUESTION = b"Write config.toml? [y/N] "
PIPED = [*SET, "--password-stdin"]
scene("yes", run(PIPED, [(QUESTION, b"y\n")], PASSWORD), 0, True)
scene("no", run(PIPED, [(QUESTION, b"n\n")], PASSWORD), 1, False)
scene("an empty line", run(PIPED, [(QUESTION, b"\n")], PASSWORD), 1, False)
scene("end of input", run(PIPED, [(QUESTION, b"\x04")], PASSWORD), 1, False)
scene("Ctrl-C", run(PIPED, [(QUESTION, b"\x03")], PASSWORD), -signal.SIGINT, False)
HIDDEN = b"Password of admin for r.io: "
scene("a hidden password", run(SET, [(HIDDEN, PASSWORD + b"\n"), (QUESTION, b"yes\n")]), 0, True)
scene(
    "a corrected password",
    run(SET, [(HIDDEN, b"wrong\x15Harbor123466\x7f\x7f5\n"), (QUESTION, b"y\n")]),
    0,
    True,
)
scene("Ctrl-C at the password", run(SET, [(HIDDEN, b"Har\x03")]), 3, False)
scene("end of input at the password", run(SET, [(HIDDEN, b"\x04")]), 3, False)
scene("nobody is asked with --yes", run([*PIPED, "--yes"], [], PASSWORD), 0, True)
scene("nobody is asked in a dry run", run([*PIPED, "--dry-run"], [], PASSWORD), 0, False)
