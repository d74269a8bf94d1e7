# SPDX-License-Identifier: MIT OR Apache-2.0

# What the two modules have in common: docker_auth, which brings the program along, and
# docker_auth_installed, which calls the one on the host.

from __future__ import annotations


class ModuleDocFragment:
    """The options of both modules."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and report whether something would change, without changing it.
    support: full
  diff_mode:
    description: Shows what changes, with placeholders in the place of secrets.
    support: full
options:
  config:
    description:
      - The config. In a file that ends in C(.yaml) or C(.yml) it is found in a block scalar.
      - Without it the file that GitLab Runner itself reads, which is C(/etc/gitlab-runner/config.toml) for root.
    type: path
  yaml_path:
    description: Where the config is in a YAML file, such as C(runners.config).
    type: str
  name:
    description: Names of runners.
    type: list
    elements: str
  token:
    description: Tokens of runners, their first 8 or 9 characters or all.
    type: list
    elements: str
  id:
    description: Numbers of runners in GitLab.
    type: list
    elements: int
  executor:
    description: Executors of runners.
    type: list
    elements: str
  all:
    description: Every runner that matches, or every runner.
    type: bool
    default: false
  registry:
    description:
      - The registry, as C(HOST[:PORT][/PATH]). With O(state=absent) there may be several.
      - With O(state=absent) and without a registry the whole entry goes.
    type: list
    elements: str
  username:
    description: The user.
    type: str
  password:
    description: The password of O(username).
    type: str
  auth_config:
    description: A whole auth document, as a dictionary or as JSON, whose credentials are stored.
    type: raw
  credential_helper:
    description: Ask C(docker-credential-NAME) on the host, and store the answer.
    type: str
  delegate:
    description: Store no answer, and let GitLab Runner ask O(credential_helper) at each job.
    type: bool
    default: false
  timeout:
    description: How many seconds a credential helper has for an answer.
    type: int
  state:
    description: Whether the credential is there.
    type: str
    choices: [present, absent]
    default: present
  replace:
    description: Drop what the auth document held before, a broken one included.
    type: bool
    default: false
  runner_only:
    description: Store it under a key that GitLab Runner takes for the host and the Docker client in a job doesn't.
    type: bool
    default: false
  pull_policy:
    description: Also set C(pull_policy) of the runners, or only that.
    type: list
    elements: str
    choices: [always, if-not-present, never]
  backup:
    description: Keep the old file, under its name with C(.bak) or with a suffix that starts with a dot.
    type: raw
    default: false
  verify:
    description: Ask the registries first, and write nothing unless each accepts its credential.
    type: bool
    default: false
  force_attributes:
    description: Write also when the file's owner, mode or an extended attribute can't be kept.
    type: bool
    default: false
notes:
  - No option comes back in the result, and no secret is in the result, the diff or an error.
"""
