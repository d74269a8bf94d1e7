#!/usr/bin/python
# SPDX-License-Identifier: MIT OR Apache-2.0

# The documentation of a module whose work an action plugin hands to a program for the host's
# architecture, docker_auth_x86_64 or docker_auth_aarch64.

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_auth
short_description: Credentials for private registries in GitLab Runner's C(config.toml)
version_added: 0.1.0
description:
  - Stores and removes credentials in the C(DOCKER_AUTH_CONFIG) entry of C([[runners]]) in C(config.toml).
  - Every other byte of the file stays as it was. The file is replaced in one step, under a lock.
  - The module is a program that is copied to the host, which needs no Python.
author:
  - The authors of runner-auth (!UNKNOWN)
extends_documentation_fragment:
  - runner_auth.gitlab.docker_auth
"""

EXAMPLES = r"""
- name: The jobs of devops-runner can pull from the registry
  runner_auth.gitlab.docker_auth:
    name: devops-runner
    registry: registry.example.com
    username: robot
    password: "{{ vault_registry_password }}"

- name: Every runner has the credentials of this document and no others
  runner_auth.gitlab.docker_auth:
    all: true
    auth_config: "{{ vault_auth_config }}"
    replace: true

- name: Nobody can pull from the old registry any more
  runner_auth.gitlab.docker_auth:
    all: true
    registry: old.example.com
    state: absent
"""

RETURN = r"""
config:
  description: The config.
  returned: success
  type: str
  sample: /etc/gitlab-runner/config.toml
runners:
  description: The selected runners, each with its name, the start of its token, whether it changed, and its credentials.
  returned: success
  type: list
  elements: dict
  sample:
    - name: devops-runner
      short_token: 4qCqD8pEo
      executor: docker
      changed: true
      credentials:
        - registry: registry.example.com
          action: added
          username: robot
code:
  description: The name of an error, which stays the same across versions.
  returned: failure
  type: str
  sample: runner-not-found
"""
