# SPDX-License-Identifier: MIT OR Apache-2.0
"""Credentials for private registries in the config of GitLab Runner.

.. code-block:: yaml

    registry.example.com:
      runner_auth.present:
        - username: robot
        - password_pillar: runner_auth:password
        - runner: devops-runner
"""


def _state(name, verb, options):
    result = {"name": name, "changes": {}, "result": True, "comment": "The config is as wanted."}
    test = __opts__["test"]  # noqa: F821
    report = __salt__["runner_auth.change"](verb, name, check=test, **options)  # noqa: F821
    if "error" in report:
        return {**result, "result": False, "comment": report["error"]["message"]}
    if report["changed"]:
        result["changes"] = {"diff": report["diff"]}
        result["result"] = None if test else True
        result["comment"] = "The config would change." if test else "The config has changed."
    if report["warnings"]:
        result["warnings"] = report["warnings"]
    return result


def present(name, username, password_pillar, runner=None, token=None, all_runners=False, config=None,
            command="runner-auth"):
    """The credential of the registry ``name`` is there, with the password at that key of the pillar."""
    return _state(name, "set", {
        "username": username, "password_pillar": password_pillar, "runner": runner, "token": token,
        "all_runners": all_runners, "config": config, "command": command,
    })


def absent(name, runner=None, token=None, all_runners=False, config=None, command="runner-auth"):
    """The credential of the registry ``name`` is not there."""
    return _state(name, "remove", {
        "runner": runner, "token": token, "all_runners": all_runners, "config": config, "command": command,
    })
