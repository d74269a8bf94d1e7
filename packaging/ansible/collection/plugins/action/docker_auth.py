# SPDX-License-Identifier: MIT OR Apache-2.0

# Picks the program for the host's architecture. The host needs no Python for that.

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import module_loader

MODULE = "runner_auth.gitlab.docker_auth_"
# What the two architectures are called by other systems than Linux.
OTHER_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}


class ActionModule(ActionBase):
    """The module docker_auth."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        machine = self._machine(task_vars or {})
        name = MODULE + OTHER_NAMES.get(machine, machine)
        if not module_loader.find_plugin(name, mod_type=""):
            raise AnsibleActionFail(f"the collection holds no program for the architecture {machine}")
        answer = self._execute_module(
            module_name=name, task_vars=task_vars, wrap_async=self._task.async_val
        )
        result.update(answer)
        # A program adds no copy of its options, and nobody else shall.
        result.pop("invocation", None)
        return result

    def _machine(self, task_vars):
        known = task_vars.get("ansible_facts", {}).get("architecture")
        if known:
            return known
        asked = self._low_level_execute_command("uname -m")
        if asked.get("rc") != 0:
            raise AnsibleActionFail("uname -m failed on the host")
        return asked["stdout"].strip()
