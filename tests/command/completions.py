"""Presses Tab in a real shell.

Called with a shell's name and the path of the binary. Prints one line per scene and exits with 1 at the first
that does not end as it should.
"""

import os
import pty
import select
import subprocess
import sys
import tempfile
import time

SHELL, BINARY = sys.argv[1], sys.argv[2]
CONFIG = """[[runners]]
  name = "devops-runner"
  token = "4qCqD8pEoxyzAbCdEf12"
  executor = "docker"
  environment = ['DOCKER_AUTH_CONFIG={"auths": {"registry.example.com:5000": {"auth": "YWRtaW46eA=="}}}']
[[runners]]
  name = "team; touch pwned"
  token = "8sTuVwXyZxyzAbCdEf12"
  executor = "docker"
"""
ZSH = "autoload -U compinit; compinit -u -D; "
# What starts the shell, and what loads the completion: from the command, or as an installed file.
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], {"sourced": "source <(runner-auth completions bash)"}),
    "zsh": (
        ["zsh", "-f", "-i"],
        {
            "sourced": ZSH + "source <(runner-auth completions zsh)",
            "installed": "fpath=($HOME/installed $fpath); " + ZSH,
        },
    ),
    "fish": (["fish", "--no-config", "-i"], {"sourced": "runner-auth completions fish | source"}),
}
# What is typed, with Tab for the rest, and what the command then prints. A command that was not completed prints
# an error in its place.
SCENES = [
    ("a command", "runner-auth li\t\r", "8sTuVwXyZ"),
    ("a runner's name", "runner-auth list -n de\t\r", "4qCqD8pEo"),
    ("a name that must be quoted", "runner-auth list --name te\t\r", "8sTuVwXyZ"),
    ("a registry", "runner-auth remove -n devops-runner --dry-run -r reg\t\r", "4qCqD8pEo): remove registry"),
    ("an option", "runner-auth list --for\tjson\r", '"schema":1'),
    ("another config", "runner-auth list -c other.toml -n on\t\r", "OTHERtoke"),
]


class Terminal:
    def __init__(self, command, folder):
        environment = {
            "HOME": folder,
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "TERM": "xterm",
            "CONFIG_FILE": f"{folder}/config.toml",
            "PS1": "READY ",
            "NO_COLOR": "1",
        }
        child, self.terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.child = child
        self.seen = ""

    def read(self, seconds):
        """What comes until nothing has come for this long."""
        while select.select([self.terminal], [], [], seconds)[0]:
            try:
                piece = os.read(self.terminal, 65536)
            except OSError:
                return
            self.seen += piece.decode(errors="replace")

    def write(self, text):
        os.write(self.terminal, text.encode())

    def scene(self, typed, expected):
        """Types; a shell reads the line after a Tab when it has answered the Tab."""
        self.seen = ""
        for piece in typed.replace("\t", "\t\0").split("\0"):
            self.write(piece)
            self.read(0.7)
        end = time.monotonic() + 10
        while expected not in self.seen and time.monotonic() < end:
            self.read(0.5)
        return expected in self.seen


def main():
    command, ways = START[SHELL]
    for way, load in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(f"{folder}/bin")
            os.symlink(BINARY, f"{folder}/bin/runner-auth")
            os.mkdir(f"{folder}/installed")
            with open(f"{folder}/installed/_runner-auth", "wb") as file:
                file.write(subprocess.run([BINARY, "completions", "zsh"], check=True, stdout=subprocess.PIPE).stdout)
            with open(f"{folder}/config.toml", "w") as file:
                file.write(CONFIG)
            with open(f"{folder}/other.toml", "w") as file:
                file.write("[[runners]]\n  name = 'one'\n  token = 'OTHERtokenxyz1234567'\n  executor = 'docker'\n")
            terminal = Terminal(command, folder)
            terminal.read(1.5)
            terminal.write(load + "\r")
            terminal.read(1.5)
            for name, typed, expected in SCENES:
                if not terminal.scene(typed, expected):
                    raise SystemExit(f"{SHELL}, {way}, {name}: no {expected!r} in {terminal.seen!r}")
                print(f"{SHELL}, {way}: {name}")
            if os.path.exists(f"{folder}/pwned"):
                raise SystemExit(f"{SHELL}, {way}: a runner's name was run as a command")
            terminal.write("exit\r")
            os.close(terminal.terminal)
            os.waitpid(terminal.child, 0)


main()
