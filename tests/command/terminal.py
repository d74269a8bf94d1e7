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
SEVERAL = (
    CONFIG
    + b"[[runners]]\n  name = 'two'\n  executor = 'docker'\n"
    + b"  environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"old.io\": {\"auth\": \"YWRtaW46b2xk\"}}}']\n"
    + b"[[runners]]\n  name = 'three'\n  executor = 'kubernetes'\n"
)
PASSWORD = b"Harbor12345"
AUTH = b"YWRtaW46SGFyYm9yMTIzNDU="
SET = ["set", "-c", "config.toml", "-r", "r.io", "-u", "admin"]


def run(arguments, steps, piped=None, config=CONFIG, login=None):
    """Runs the command; `steps` are pairs of what to wait for and what to type then, which may be a
    function that does something in the folder and gives what to type. `login` is what `docker login`
    left."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        path = os.path.join(folder, "config.toml")
        with open(path, "wb") as file:
            file.write(config)
        if login is not None:
            os.mkdir(os.path.join(home, ".docker"))
            with open(os.path.join(home, ".docker", "config.json"), "w") as file:
                file.write(login)
        stamp = os.stat(path).st_mtime_ns
        terminal, other_end = pty.openpty()
        # Before the command is there, which changes them.
        modes = termios.tcgetattr(terminal)
        child = os.fork()
        if child == 0:
            os.login_tty(other_end)
            os.chdir(folder)
            if piped is not None:
                reader, writer = os.pipe()
                os.write(writer, piped)
                os.close(writer)
                os.dup2(reader, 0)
            environment = {"HOME": home, "PATH": os.environ["PATH"], "TERM": "xterm"}
            environment["XDG_RUNTIME_DIR"] = home
            os.execve(BINARY, [BINARY, *arguments], environment)
        os.close(other_end)
        seen = b""
        # Each step waits for what comes after the one before.
        answered = 0
        for expected, typed in [*steps, (None, None)]:
            while expected is None or expected not in seen[answered:]:
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
            if callable(typed):
                typed = typed(path, child)
            if typed is not None:
                answered = len(seen)
                os.write(terminal, typed)
        sane = termios.tcgetattr(terminal) == modes
        # The cursor is shown again after it was hidden.
        sane = sane and seen.rfind(b"\x1b[?25l") <= seen.rfind(b"\x1b[?25h")
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        with open(path, "rb") as file:
            after = file.read()
        return {
            "seen": seen,
            "code": os.waitstatus_to_exitcode(status),
            "before": config,
            "after": after,
            "touched": os.stat(path).st_mtime_ns != stamp,
            "left": sorted(os.listdir(folder)),
            "sane": sane,
        }


def scene(name, found, code, written):
    problems = []
    if found["code"] != code:
        problems.append(f"status {found['code']} and not {code}")
    if (AUTH in found["after"]) != written:
        problems.append("written" if not written else "not written")
    if not written and (found["after"] != found["before"] or found["touched"]):
        problems.append("the file was touched")
    if found["left"] != ["config.toml"]:
        problems.append(f"litter: {found['left']}")
    if not found["sane"]:
        problems.append("the terminal is not as it was")
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
scene("an empty password", run(SET, [(HIDDEN, b"\n"), (b"empty", PASSWORD + b"\n"), (QUESTION, b"y\n")]), 0, True)
AGAIN = b"no character"
scene(
    "Ctrl-Z and arrows in a password",
    run(SET, [(HIDDEN, PASSWORD + b"\x1a\n"), (AGAIN, b"\x1b[A\n"), (AGAIN, PASSWORD + b"\n"), (QUESTION, b"y\n")]),
    0,
    True,
)
scene("Latin-1 in a password", run(SET, [(HIDDEN, b"p\xe4ss\n"), (b"not UTF-8", PASSWORD + b"\n"), (QUESTION, b"y\n")]), 0, True)
scene("Ctrl-C at the password", run(SET, [(HIDDEN, b"Har\x03")]), -signal.SIGINT, False)
scene("Ctrl-backslash at the password", run(SET, [(HIDDEN, b"Har\x1c")]), -signal.SIGQUIT, False)
scene("end of input at the password", run(SET, [(HIDDEN, b"\x04")]), 1, False)
scene("nobody is asked with --yes", run([*PIPED, "--yes"], [], PASSWORD), 0, True)
scene("nobody is asked in a dry run", run([*PIPED, "--dry-run"], [], PASSWORD), 0, False)

# The guided way: each question, and each way out of it.
GUIDED = ["set", "-c", "config.toml"]
DOWN = b"\x1b[B"
RUNNERS = (b"Runners:", b" " + DOWN + b" \r")
REGISTRY = (b"Registry:", b"r.io\r")
USER = (b"User:", b"admin\r")
PASS = (HIDDEN, PASSWORD + b"\n")
YES = (QUESTION, b"y\n")
WAY = [RUNNERS, REGISTRY, USER, PASS, YES]


def guided(name, arguments, steps, code, written, **options):
    """A scene, and how often the new credential is in the file then."""
    found = run(arguments, steps, **{"config": SEVERAL, **options})
    scene(name, found, code, written)
    return found["after"].count(AUTH)


def is_written(name, count, expected):
    if count != expected:
        raise SystemExit(f"{name}: {count} runners have the credential, not {expected}")


is_written("two of three", guided("guided", GUIDED, WAY, 0, True), 2)
count = guided("all of them", GUIDED, [(RUNNERS[0], b"\x1b[C\r"), *WAY[1:]], 0, True)
is_written("all of them", count, 3)
guided("a single runner", GUIDED, WAY[1:], 0, True, config=CONFIG)
guided("a named runner", [*GUIDED, "-n", "two"], WAY[1:], 0, True)
TOKEN = b"4qCqD8pEoxyzAbCdEf12\n"
PIPE = [*GUIDED, "--token-file", "/dev/stdin"]
guided("a runner whose token is piped", PIPE, WAY[1:], 0, True, piped=TOKEN)
guided("a registry that is given", [*GUIDED, "-n", "two", "-r", "r.io"], WAY[2:], 0, True)
guided("a dry run", [*GUIDED, "--dry-run"], WAY[:4], 0, False)
for number, (question, _) in enumerate(WAY):
    steps = [*WAY[:number], (question, b"\x03")]
    guided(f"Ctrl-C at '{question.decode()}'", GUIDED, steps, -signal.SIGINT, False)
for number, (question, _) in enumerate(WAY):
    for sent in (signal.SIGTERM, signal.SIGHUP):
        kill = lambda _, child, sent=sent: os.kill(child, sent)
        steps = [*WAY[:number], (question, kill)]
        guided(f"{sent.name} at '{question.decode()}'", GUIDED, steps, -sent, False)
for number, (question, _) in enumerate(WAY[:3]):
    guided(f"Escape at '{question.decode()}'", GUIDED, [*WAY[:number], (question, b"\x1b")], 1, False)
NONE = [(RUNNERS[0], b"\r"), (b"none is marked", b" \r")]
guided("no runner is marked", GUIDED, [*NONE, *WAY[1:]], 0, True)
BLANK = [RUNNERS, (REGISTRY[0], b"my registry\r"), (b"no registry has", b"\x7f" * 11), *WAY[1:]]
guided("no such registry", GUIDED, BLANK, 0, True)
COLON = [*WAY[:2], (USER[0], b"ad:min\r"), (b"colon", b"\x7f" * 6), *WAY[2:]]
guided("no such user", GUIDED, COLON, 0, True)
OLD = b"Password of admin for old.io: "
PICKED = [RUNNERS, (b"old.io", DOWN + b"\r"), (b"(admin)", b"\r"), (OLD, PASSWORD + b"\n"), YES]
guided("the registry and the user of the file", GUIDED, PICKED, 0, True)
LOGIN = '{"auths": {"login.io": {"auth": "cm9ib3Q6cHc="}}}'
LEFT = b"Password of robot for login.io: "
PICKED = [(b"login.io", DOWN + b"\r"), (b"(robot)", b"admin\r"), (LEFT[:12], b"\x03")]
guided("what docker login left", GUIDED, PICKED, -signal.SIGINT, False, config=CONFIG, login=LOGIN)
ODD = CONFIG + b"""  environment = ['DOCKER_AUTH_CONFIG={"auths": {"old.io": {"username": "\\u001b[31mroot", "password": "x"}}}']\n"""
PICKED = [(b"old.io", DOWN + b"\r"), (b"User: ", b"admin\r"), (OLD, PASSWORD + b"\n"), YES]
found = run(GUIDED, PICKED, config=ODD)
scene("a user that would colour the terminal", found, 0, True)
if b"mroot" in found["seen"]:
    raise SystemExit(f"the user of the file reaches the terminal: {found['seen']}")
# What can't be done is said before a password is typed.
BROKEN = CONFIG + b"""  environment = ['DOCKER_AUTH_CONFIG={"auths": {"r.io": {}']\n"""
guided("a broken document", GUIDED, [REGISTRY], 3, False, config=BROKEN)
HELPED = CONFIG + b"""  environment = ['DOCKER_AUTH_CONFIG={"credHelpers": {"r.io": "pass"}}']\n"""
guided("a registry that a helper answers for", GUIDED, [REGISTRY], 3, False, config=HELPED)
guided("in place of a broken document", [*GUIDED, "--replace"], WAY[1:], 0, True, config=BROKEN)
guided("a script", [*GUIDED, "--yes"], [], 2, False)
guided("a check", [*GUIDED, "--check"], [], 2, False)
guided("several runners for a credential", SET, [], 4, False)


def rival(path, child):
    with open(path, "ab") as file:
        file.write(b"# another writer\n")
    return b"y\n"


found = run(GUIDED, [*WAY[:4], (QUESTION, rival)], config=SEVERAL)
if found["code"] != 5 or found["after"] != SEVERAL + b"# another writer\n":
    raise SystemExit(f"another writer's change: {found}")
print("another writer's change: fine")
