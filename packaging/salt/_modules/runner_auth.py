# SPDX-License-Identifier: MIT OR Apache-2.0
"""Credentials for private registries in the config of GitLab Runner.

The password comes from the pillar, by the key that the caller names, and goes to the command in its
environment. It is in no argument, no log and no result.
"""

import json
import os
import subprocess

import salt.utils.data

try:
    import salt.utils.secret as secret
except ImportError:
    # Before Salt 3008 the pillar is plain.
    secret = None

VARIABLE = "RUNNER_AUTH_PASSWORD"


def _words(option, value):
    values = value if isinstance(value, (list, tuple)) else [value]
    return [f"--{option}={each}" for each in values if each is not None]


def _password(key):
    """The password at a key of the pillar: pillar.get would give a row of stars from Salt 3008 on."""
    found = salt.utils.data.traverse_dict_and_list(__pillar__, key, None)  # noqa: F821
    return secret.expose(found) if secret else found


def _run(words, password_pillar):
    environment = dict(os.environ)
    if password_pillar:
        password = _password(password_pillar)
        if not isinstance(password, str) or not password:
            return {"error": {"code": "usage", "message": f"the pillar has no password at {password_pillar}"}}
        environment[VARIABLE] = password
        words = [*words, f"--password-env={VARIABLE}"]
    try:
        ended = subprocess.run(
            [*words, "--format=json"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        return json.loads(ended.stdout)
    except (OSError, ValueError) as error:
        return {"error": {"code": "not-run", "message": f"{words[0]} gave no report: {type(error).__name__}"}}


def change(
    verb,
    registry,
    username=None,
    password_pillar=None,
    runner=None,
    token=None,
    all_runners=False,
    config=None,
    command="runner-auth",
    check=False,
):
    """Stores (``set``) or removes (``remove``) the credential of a registry, and returns the report.

    CLI Example:

    .. code-block:: bash

        salt-call runner_auth.change set registry.example.com robot runner_auth:password check=True
    """
    words = [command, verb, f"--registry={registry}", "--check" if check else "--yes"]
    words += _words("username", username) + _words("name", runner) + _words("token", token)
    words += _words("config", config) + (["--all"] if all_runners else [])
    return _run(words, password_pillar)
