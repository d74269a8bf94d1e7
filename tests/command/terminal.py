"""Drives the command through a pseudo-terminal, as a person would.

A question is there when its text is: what is typed before that is dropped.

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


def run(arguments, steps, piped=None, config=CONFIG, login=None, term="xterm", mode=0o600):
    """Runs the command; `steps` are pairs of what to wait for and what to type then, which may be a
    function that does something in the folder and gives what to type. `login` is what `docker login`
    left."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        path = os.path.join(folder, "config.toml")
        with open(path, "wb") as file:
            file.write(config)
        os.chmod(path, mode)
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
            # A signal that was ignored when the tests began would stay ignored.
            for name in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
                signal.signal(name, signal.SIG_DFL)
            os.chdir(folder)
            if piped is not None:
                reader, writer = os.pipe()
                os.write(writer, piped)
                os.close(writer)
                os.dup2(reader, 0)
            environment = {"HOME": home, "PATH": os.environ["PATH"], "TERM": term}
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
        # Pastes are marked while a question is open, and not after it.
        sane = sane and seen.rfind(b"\x1b[?2004h") <= seen.rfind(b"\x1b[?2004l")
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
scene("Escape", run(PIPED, [(QUESTION, b"\x1b")], PASSWORD), 1, False)
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
scene(
    "keys that are no letters in a password",
    run(SET, [(HIDDEN, b"\x1b[A\tarbor\x1b[H\x07H\x1b[F12345\x1b[24~\n"), (QUESTION, b"y\n")]),
    0,
    True,
)
PASTE = b"\x1b[200~%s\x1b[201~"
scene("a pasted password", run(SET, [(HIDDEN, PASTE % b"Harbor12345\n" + b"\r"), (QUESTION, b"y\n")]), 0, True)
TWO = PASTE % b"Harbor12345\nrest" + b"\r"
scene("two lines as a password", run(SET, [(HIDDEN, TWO), (b"more than one line", PASSWORD + b"\r"), (QUESTION, b"y\n")]), 0, True)
scene("Escape at the password", run(SET, [(HIDDEN, b"Har\x1b")]), 1, False)
scene("a password for standard input", run([*SET, "--password-stdin"], [(HIDDEN, PASSWORD + b"\n"), (QUESTION, b"y\n")]), 0, True)
scene("a password for standard input of a script", run([*SET, "--password-stdin", "--yes"], [(HIDDEN, PASSWORD + b"\n")]), 0, True)
scene("Latin-1 in a password", run(SET, [(HIDDEN, b"p\xe4ss\n"), (b"not UTF-8", PASSWORD + b"\n"), (QUESTION, b"y\n")]), 0, True)
scene("Ctrl-C at the password", run(SET, [(HIDDEN, b"Har\x03")]), -signal.SIGINT, False)
scene("Ctrl-backslash at the password", run(SET, [(HIDDEN, b"Har\x1c")]), -signal.SIGQUIT, False)
scene("end of input at the password", run(SET, [(HIDDEN, b"\x04")]), 1, False)
scene("nobody is asked with --yes", run([*PIPED, "--yes"], [], PASSWORD), 0, True)
scene("nobody is asked in a dry run", run([*PIPED, "--dry-run"], [], PASSWORD), 0, False)

# The guided way: each question, and each way out of it.
GUIDED = ["set", "-c", "config.toml"]
DOWN = b"\x1b[B"
RUNNERS = (b"Runners (", b" " + DOWN + b" \r")
REGISTRY = (b"Registry: ", b"r.io\r")
USER = (b"User: ", b"admin\r")
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
guided("Escape at the first question", GUIDED, [(RUNNERS[0], b"\x1b")], 1, False)
for number in range(1, 5):
    # One question back, and on again.
    (question, _), again = WAY[number], WAY[number - 1 :]
    steps = [*WAY[:number], (question, b"\x1b"), *again]
    # What was marked before is not marked again.
    name = f"Escape at '{question.decode()}'"
    is_written(name, guided(name, GUIDED, steps, 0, True), 2)
count = guided("the runner under the cursor", GUIDED, [(RUNNERS[0], b"three\r"), *WAY[1:]], 0, True)
is_written("the runner under the cursor", count, 1)
BLANK = [RUNNERS, (REGISTRY[0], b"my registry\r"), (b"no registry has", b"\x15r.io\r"), *WAY[2:]]
guided("no such registry", GUIDED, BLANK, 0, True)
COLON = [*WAY[:2], (USER[0], b"ad:min\r"), (b"colon", b"\x7f" * 6 + b"admin\r"), *WAY[3:]]
guided("no such user", GUIDED, COLON, 0, True)
OLD = b"Password of admin for old.io: "
PICKED = [RUNNERS, (b"old.io", DOWN + b"\r"), (b"[admin]", b"\r"), (OLD, PASSWORD + b"\n"), YES]
guided("the registry and the user of the file", GUIDED, PICKED, 0, True)
LOGIN = '{"auths": {"login.io": {"auth": "cm9ib3Q6cHc="}}}'
LEFT = b"Password of robot for login.io: "
PICKED = [(b"login.io", DOWN + b"\r"), (b"[robot]", b"admin\r"), (LEFT[:12], b"\x03")]
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
count = guided("several runners for a credential", SET, [RUNNERS, PASS, YES], 0, True)
is_written("several runners for a credential", count, 2)
count = guided("several runners, all of them there", PIPED, [RUNNERS, YES], 0, True, piped=PASSWORD)
is_written("several runners, all of them there", count, 2)
guided("several runners for a script", [*PIPED, "--yes"], [], 4, False, piped=PASSWORD)



# What matters to the decision is said before the question, and nothing is said twice.
PATH = ["set", "-c", "config.toml", "-r", "https://r.io/group/app", "-u", "admin", "--password-stdin"]
found = run(PATH, [YES], PASSWORD)
scene("a scheme with a path", found, 0, True)
for said in (b"every image on r.io", b"add r.io for user admin"):
    if found["seen"].count(said) != 1 or found["seen"].index(said) > found["seen"].index(QUESTION):
        raise SystemExit(f"{said}: {found['seen']}")
found = run(SET, [(HIDDEN, PASSWORD + b"\n"), YES], config=CONFIG.replace(b"docker", b"shell"), mode=0o644)
scene("a shell runner in a file that everybody reads", found, 0, True)
for said in (b"everybody on this machine can read", b"warning: "):
    if found["seen"].index(said) > found["seen"].index(QUESTION):
        raise SystemExit(f"{said}: {found['seen']}")


def rival(path, child):
    with open(path, "ab") as file:
        file.write(b"# another writer\n")
    return b"y\n"


found = run(GUIDED, [*WAY[:4], (QUESTION, rival)], config=SEVERAL)
if found["code"] != 5 or found["after"] != SEVERAL + b"# another writer\n":
    raise SystemExit(f"another writer's change: {found}")
print("another writer's change: fine")


def removed(name, arguments, steps, gone, stays, code=0, config=SEVERAL, term="xterm"):
    found = run(arguments, steps, config=config, term=term)
    if found["code"] != code or gone in found["after"] or stays not in found["after"] or not found["sane"]:
        raise SystemExit(f"{name}: {found}")
    print(f"{name}: fine")


# `remove` asks what the arguments leave open.
HOLDS = SEVERAL.replace(b'{"old.io"', b'{"new.io": {"auth": "YWRtaW46b2xk"}, "old.io"')
REMOVE = ["remove", "-c", "config.toml"]
WHAT = b"Remove ("
SECOND = (RUNNERS[0], DOWN + b"\r")
removed("a registry", REMOVE, [SECOND, (WHAT, DOWN + b"\r"), YES], b"old.io", b"new.io", config=HOLDS)
removed("the whole entry", REMOVE, [SECOND, (WHAT, b"whole\r"), YES], b"DOCKER_AUTH", b"'two'", config=HOLDS)
removed("a registry of several", [*REMOVE, "-r", "old.io"], [SECOND, YES], b"old.io", b"new.io", config=HOLDS)
removed("what to remove", [*REMOVE, "-n", "two"], [(WHAT, b"old\r"), YES], b"old.io", b"new.io", config=HOLDS)
BACK = [SECOND, (WHAT, b"\x1b"), SECOND, (WHAT, b"\r"), (QUESTION, b"\x1b"), (WHAT, b"old\r"), YES]
removed("back and forth", REMOVE, BACK, b"old.io", b"new.io", config=HOLDS)
removed("what to remove, for a script", [*REMOVE, "-n", "two", "--yes"], [], b"?", b"old.io", code=2)

# A terminal without escape sequences, and a person who hears it: lines and numbers.
DUMB = [
    (b"Runners: ", b"1, 2\n"),
    (b"Registry: ", b"\n"),
    (b"type a registry, or a number of the list", b"99\n"),
    (b"no number from 1 to 5", b"my registry\n"),
    (b"no registry has", b"r.io\n"),
    (b"User: ", b"<\n"),
    (b"Registry: ", b"1\n"),
    (b"User [admin]: ", b"<\n"),
    (b"Registry: ", b"r.io\n"),
    (b"User: ", b"admin\n"),
    PASS,
    YES,
]
for term in ("dumb", ""):
    found = run(GUIDED, DUMB, config=SEVERAL, term=term)
    scene(f"lines and numbers, TERM={term}", found, 0, True)
    is_written("lines and numbers", found["after"].count(AUTH), 2)
    if b"\x1b" in found["seen"]:
        raise SystemExit(f"an escape sequence with TERM={term}: {found['seen']}")
    for key in (b"arrow", b"Tab", b"Esc", b"space"):
        if key in found["seen"]:
            raise SystemExit(f"{key} does nothing with TERM={term}: {found['seen']}")
removed("numbers", REMOVE, [(b"Runners: ", b"two\n"), (b"Runners: ", b"2\n"), (b"Remove: ", b"2\n"), YES], b"DOCKER_AUTH", b"'two'", term="dumb")
