#!/usr/bin/python
# SPDX-License-Identifier: MIT OR Apache-2.0

# Calls the runner-auth that is installed on the host. It needs Python there, its standard library and what
# Ansible itself brings along.

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_auth_installed
short_description: Credentials for private registries, with the C(runner-auth) that a host has
version_added: 0.1.0
description:
  - Does what M(runner_auth.gitlab.docker_auth) does, with the C(runner-auth) that is installed on the host.
  - It is for hosts to whose temporary folder no program can be copied (C(noexec)), or of an architecture for which the
    collection holds none.
  - The host needs Python, and C(runner-auth) of the version of this collection or a later one.
author:
  - The authors of runner-auth (!UNKNOWN)
extends_documentation_fragment:
  - runner_auth.gitlab.docker_auth
options:
  executable:
    description: The program. Without it C(runner-auth) is looked for in the C(PATH) and in C(/usr/local/bin).
    type: path
seealso:
  - module: runner_auth.gitlab.docker_auth
"""

EXAMPLES = r"""
- name: The jobs of devops-runner can pull from the registry
  runner_auth.gitlab.docker_auth_installed:
    name: devops-runner
    registry: registry.example.com
    username: robot
    password: "{{ vault_registry_password }}"
"""

RETURN = r"""
config:
  description: The config.
  returned: success
  type: str
  sample: /etc/gitlab-runner/config.toml
runners:
  description: The selected runners, as M(runner_auth.gitlab.docker_auth) returns them.
  returned: success
  type: list
  elements: dict
code:
  description: The name of an error, which stays the same across versions.
  returned: failure
  type: str
  sample: runner-not-found
"""

import json
import subprocess

from ansible.module_utils.basic import AnsibleModule

# Under this name the program is a module, and takes its options as one.
MODULE = "docker_auth"

WORDS = {"type": "list", "elements": "str"}
FLAG = {"type": "bool", "default": False}

OPTIONS = {
    "executable": {"type": "path"},
    "config": {"type": "path"},
    "yaml_path": {"type": "str"},
    "name": WORDS,
    # The start of a token is no secret, but somebody may give the whole one.
    "token": {**WORDS, "no_log": True},
    "id": {"type": "list", "elements": "int"},
    "executor": WORDS,
    "all": FLAG,
    "registry": WORDS,
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "auth_config": {"type": "raw", "no_log": True},
    "credential_helper": {"type": "str"},
    "delegate": FLAG,
    "timeout": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "replace": FLAG,
    "runner_only": FLAG,
    "pull_policy": {**WORDS, "choices": ["always", "if-not-present", "never"]},
    "backup": {"type": "raw", "default": False},
    "verify": FLAG,
    "force_attributes": FLAG,
}


def ask(module, program, options):
    """Hands the options over, which stand on no command line and in no file."""
    try:
        ended = subprocess.run(
            [MODULE, "/dev/stdin"],
            executable=program,
            input=json.dumps(options).encode(),
            capture_output=True,
            check=False,
        )
    except OSError as error:
        module.fail_json(msg=f"{program} can't be run: {error.strerror}")
    try:
        answer = json.loads(ended.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        module.fail_json(
            msg=f"{program} gave no answer (status {ended.returncode}): is it a runner-auth as old as this collection, or newer?"
        )
    return answer


def main():
    """Runs the program, and gives its answer back."""
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    given = {name: value for name, value in module.params.items() if value is not None}
    program = given.pop("executable", None) or module.get_bin_path(
        "runner-auth", required=True, opt_dirs=["/usr/local/bin"]
    )
    given["_ansible_check_mode"] = module.check_mode
    given["_ansible_diff"] = module._diff  # noqa: SLF001 (there is no other way to it)
    answer = ask(module, program, given)
    if answer.get("failed"):
        module.fail_json(**answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
