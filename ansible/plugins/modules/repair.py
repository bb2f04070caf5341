#!/usr/bin/python
# Copyright: the bootgraft project
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``bootgraft.bootgraft.repair``: runs ``bootgraft repair --json`` and says what came of it."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: repair
short_description: Make a Windows disk image boot on another hypervisor
description:
  - Runs C(bootgraft repair) on the disks of one machine that is shut down. What is missing is added to an overlay
    first, and is written only if the checks find that the result would boot. C(bootgraft undo) reverts it.
  - A machine that would boot already is left as it is.
  - The module fails if nothing can be written that makes the image sound. If something is left to do outside the image
    (the firmware or the boot order of the new machine), it warns, and RV(verdict) is not V(boots).
options:
  images:
    description: The disks in BIOS order. They may be left out if O(vm) names them.
    type: list
    elements: str
    default: []
  vm:
    description: The description of the machine (.vmx, .ovf, domain XML, Proxmox .conf).
    type: path
  disk:
    description: Where disks of the description are, by their names in it.
    type: dict
    default: {}
  target:
    description:
      - HYPERVISOR:CONTROLLER, as listed by C(bootgraft targets). May be left out if O(vm) specifies the controller.
    type: list
    elements: str
    default: []
  drivers:
    description: Driver packages (INF, folder, ISO, CAB, ZIP), or disk images of machines that have the driver.
    type: list
    elements: path
    default: []
  boot_code:
    description: Disk images of machines with sound boot code.
    type: list
    elements: path
    default: []
  windows:
    description: Another installation than the one that boots.
    type: str
  format:
    description: The format of the images, if detection is wrong.
    type: str
  allow_path:
    description: Folders outside that of the image in which its extents or backing files may lie.
    type: list
    elements: path
    default: []
  journal:
    description: Where the undo journal is written. Required for block devices and NBD exports.
    type: path
  fix:
    description: Findings that are fixed only on request, by their ids.
    type: list
    elements: str
    default: []
  skip:
    description: Findings that are left as they are, by their ids.
    type: list
    elements: str
    default: []
  these_are_all_disks:
    description: A disk that Windows names and that is not given no longer exists.
    type: bool
    default: false
  add_system_partition:
    description: Make an EFI system partition in free space if it was left behind.
    type: bool
    default: false
  isolate:
    description: Disconnect the network adapters in the description as well.
    type: bool
    default: false
  secure_boot:
    description: Whether Secure Boot is on in the new machine.
    type: bool
  reset_journal:
    description: Consent to losing what the journal of an unclean volume had not completed.
    type: bool
    default: false
  discard_hibernation:
    description: Consent to losing the session of a hibernated Windows.
    type: bool
    default: false
  timeout:
    description: Seconds after which to give up, as long as no image is being written.
    type: float
  executable:
    description: The program.
    type: path
    default: bootgraft
attributes:
  check_mode:
    description: The repair is planned and proven on an overlay, and nothing is written (C(--dry-run)).
    support: full
  diff_mode:
    description: Registry changes as .reg text before and after; changed files by their digests or lines.
    support: full
requirements:
  - bootgraft 0.2 or later on the host that has the images
author:
  - the bootgraft project
"""

EXAMPLES = r"""
- name: The copied server boots on the LSI Logic controller
  bootgraft.bootgraft.repair:
    images: [/vm/server1/server1.vmdk]
    target: [vmware:lsilogic]
    drivers: [/vm/donor/donor.vmdk]
  register: repaired

- name: A domain of libvirt, its disks and controller as its description has them
  bootgraft.bootgraft.repair:
    vm: /etc/libvirt/qemu/server1.xml
    drivers: [/srv/virtio-win.iso]
    isolate: true
"""

RETURN = r"""
verdict:
  description: Whether the machine would boot now (in check mode, after the repair). The worst of all targets.
  returned: success
  type: str
  sample: boots
journal:
  description: The undo journal.
  returned: if something was written
  type: str
changes:
  description: What was changed, as in docs/json.md.
  returned: success
  type: list
  elements: dict
findings:
  description: What was found before the repair, by target, as in docs/json.md.
  returned: success, or failure because of what was found
  type: list
  elements: dict
error:
  description: What bootgraft refused, with its id (docs/errors.md).
  returned: failure because of an error
  type: dict
"""

import base64
import json

from ansible.module_utils.basic import AnsibleModule

_LISTS = ("target", "drivers", "boot_code", "allow_path", "fix", "skip")
_TEXTS = ("vm", "windows", "format", "journal", "timeout")
_SWITCHES = ("these_are_all_disks", "add_system_partition", "isolate", "reset_journal", "discard_hibernation")
_WORST_FIRST = ("blocked", "unknown", "boots")
_HIVES = {"BCD": "BCD00000000"}


def _spec():
    return {
        "images": {"type": "list", "elements": "str", "default": []},
        "vm": {"type": "path"},
        "disk": {"type": "dict", "default": {}},
        "target": {"type": "list", "elements": "str", "default": []},
        "drivers": {"type": "list", "elements": "path", "default": []},
        "boot_code": {"type": "list", "elements": "path", "default": []},
        "windows": {"type": "str"},
        "format": {"type": "str"},
        "allow_path": {"type": "list", "elements": "path", "default": []},
        "journal": {"type": "path"},
        "fix": {"type": "list", "elements": "str", "default": []},
        "skip": {"type": "list", "elements": "str", "default": []},
        "these_are_all_disks": {"type": "bool", "default": False},
        "add_system_partition": {"type": "bool", "default": False},
        "isolate": {"type": "bool", "default": False},
        "secure_boot": {"type": "bool"},
        "reset_journal": {"type": "bool", "default": False},
        "discard_hibernation": {"type": "bool", "default": False},
        "timeout": {"type": "float"},
        "executable": {"type": "path", "default": "bootgraft"},
    }


def command(given, *, check_mode):
    """The words of the command line."""
    images = [f"./{each}" if each.startswith("-") else each for each in given["images"]]
    words = [given["executable"], "repair", *images, "--json", "--quiet"]
    for name in _LISTS:
        words += [word for each in given[name] for word in (_option(name), each)]
    for name in _TEXTS:
        words += [] if given[name] is None else [_option(name), str(given[name])]
    words += [_option(name) for name in _SWITCHES if given[name]]
    words += [word for name, path in given["disk"].items() for word in ("--disk", f"{name}={path}")]
    if given["secure_boot"] is not None:
        words += ["--secure-boot", "on" if given["secure_boot"] else "off"]
    return [*words, *(["--dry-run"] if check_mode else [])]


def _option(name):
    return "--" + name.replace("_", "-")


def difference(changes):
    """What ``--diff`` shows: for each hive its values before and after as .reg text, then what else is changed."""
    registry = [each for each in changes if "hive" in each]
    shown = []
    for hive in dict.fromkeys(each["hive"] for each in registry):
        before, after = _reg_texts([each for each in registry if each["hive"] == hive])
        shown.append({"before_header": hive, "after_header": hive, "before": before, "after": after})
    others = [line for each in changes if "hive" not in each for line in _other(each)]
    return [*shown, {"prepared": "\n".join(others) + "\n"}] if others else shown


def _reg_texts(changes):
    """One hive's keys before and after, as .reg text."""
    old, new = {}, {}
    for each in changes:
        key = _key(each)
        if each["kind"] == "create-key":
            new.setdefault(key, [])
        elif each["kind"] == "delete-key":
            old.setdefault(key, [])
        else:
            name = '"{}"'.format(each["name"].replace("\\", "\\\\").replace('"', '\\"')) if each["name"] else "@"
            for side, value in ((old, each["before"]), (new, each.get("value"))):
                if value is not None:
                    side.setdefault(key, []).append(f"{name}={_value(value)}")
    return tuple("".join("\n".join([f"[{key}]", *side[key], "", ""]) for key in side) for side in (old, new))


def _key(change):
    hive = change["hive"].rpartition("\\")[2].upper()
    return f"HKEY_LOCAL_MACHINE\\{_HIVES.get(hive, hive)}\\{change['key']}"


def _value(value):
    """A value's type and data as regedit writes them."""
    data, kind = base64.b64decode(value["data"]), value["type"]
    if kind == 4 and len(data) == 4:
        return f"dword:{int.from_bytes(data, 'little'):08x}"
    if kind == 1 and data[-2:] == b"\0\0" and len(data) % 2 == 0:
        text = data[:-2].decode("utf-16-le", "replace")
        if text.isprintable():
            return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
    return f"hex{'' if kind == 3 else f'({kind:x})'}:{data.hex(',')}"


def _other(change):
    """A change that is none of the registry."""
    if change.get("diff"):
        return change["diff"]
    kind = change["kind"]
    if kind == "write-file":
        place = f"{change['volume']}: {change['path']}"
        old = [f"-{place} sha256:{change['before_sha256']}"] if change["before_sha256"] else []
        return [*old, f"+{place} sha256:{change['sha256']} ({change['size']} bytes, {change['origin']})"]
    if kind == "create-directory":
        return [f"+{change['volume']}: {change['path']}\\"]
    if kind == "write-sectors":
        old, new = (base64.b64decode(change[side]).hex() for side in ("before", "data"))
        place = f"disk {change['disk']} byte {change['offset']} ({change['what']})"
        return [f"-{place}: {old}", f"+{place}: {new}"]
    return [f"+{kind} {json.dumps({name: each for name, each in change.items() if name != 'kind'})}"]


def _worst(documents, member):
    return min((each[member] for each in documents), key=_WORST_FIRST.index)


def _run(module):
    status, output, said = module.run_command(command(module.params, check_mode=module.check_mode))
    try:
        document = json.loads(output)
    except ValueError:
        module.fail_json(msg=f"bootgraft gave no JSON (exit status {status})", stderr=said, stdout=output)
    for line in said.splitlines():
        module.warn(line)
    if "error" in document:
        error = document["error"]
        module.fail_json(msg=f"{error['where']}: {error['what']}. {error['advice']}", error=error)
    return document


def main():
    """Run the module."""
    module = AnsibleModule(_spec(), supports_check_mode=True, required_one_of=[("images", "vm")])
    document = _run(module)
    after, changes = document["after"], document["changes"]
    found = [each for one in after for each in one["findings"] if each["severity"] == "blocker"]
    if _worst(after, "image_verdict") != "boots":
        reason = found[0]["title"] if found else "it is not known whether it would boot"
        module.fail_json(msg=f"nothing was written: {reason}", findings=document["before"])
    result = {
        "changed": bool(changes) and (module.check_mode or document["committed"]),
        "verdict": _worst(after, "verdict"),
        "journal": document["journal"],
        "changes": changes,
        "findings": document["before"],
    }
    if result["verdict"] != "boots":
        for each in found:
            module.warn(f"left to do outside the image: {each['title']}")
    if module._diff:
        result["diff"] = difference(changes)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
