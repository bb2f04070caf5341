"""The Ansible module, run by Ansible: check mode, the change, and no change the second time."""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from tests.machines.build import BuiltMachine


def data(kind: int, content: bytes) -> dict[str, Any]:
    """A registry value as it stands in a document."""
    return {"type": kind, "data": b64encode(content).decode()}


ROOT = Path(__file__).parents[2]
PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  module_defaults:
    bootgraft.bootgraft.repair:
      executable: "{{ program }}"
      target: [vmware:lsilogic]
  tasks:
    - bootgraft.bootgraft.repair: {images: [server1.raw], drivers: [donor.raw]}
      check_mode: true
      diff: true
      register: planned
    - bootgraft.bootgraft.repair: {images: [server1.raw]}
      register: lacking
      ignore_errors: true
    - bootgraft.bootgraft.repair: {images: [server1.raw], drivers: [donor.raw]}
      diff: true
      register: first
    - bootgraft.bootgraft.repair: {images: [server1.raw], drivers: [donor.raw]}
      diff: true
      register: second
    - bootgraft.bootgraft.repair: {images: [no.raw]}
      register: missing
      ignore_errors: true
    - copy:
        dest: results.json
        content: "{{ [planned, lacking, first, second, missing] | to_json }}"
"""

HIVE = {"hive": "disk 0 partition 2: \\Boot\\BCD", "key": "Objects\\{x}"}
CHANGES = [
    {"kind": "create-key", **HIVE},
    {"kind": "set-value", **HIVE, "name": 'a "b" \\', "value": data(1, 'c:\\"\0'.encode("utf-16-le")), "before": None},
    {"kind": "set-value", **HIVE, "name": "", "value": data(4, b"\1\0\0\0"), "before": data(4, b"\3\0\0\0")},
    {"kind": "delete-value", **HIVE, "name": "m", "before": data(7, b"a\0")},
    {"kind": "set-value", **HIVE, "name": "b", "value": data(3, b"\1\xff"), "before": data(1, b"\n\0\0\0")},
    {"kind": "delete-key", **HIVE, "key": "Old"},
    {"kind": "create-directory", "volume": "disk 0 partition 1", "path": "\\Boot"},
    {"kind": "write-file", "volume": "V", "path": "\\a", "size": 1, "sha256": "new", "before_sha256": "old",
     "origin": "donor", "diff": None},
    {"kind": "write-file", "volume": "V", "path": "\\boot.ini", "size": 1, "sha256": "new", "before_sha256": "old",
     "origin": "it", "diff": ["-multi(0)", "+multi(1)"]},
    {"kind": "write-sectors", "disk": 0, "offset": 446, "data": "gA==", "before": "AA==", "what": "MBR"},
    {"kind": "format-volume", "disk": 0, "offset": 1, "size": 2, "sector_size": 512, "serial": 3, "label": "EFI"},
    {"kind": "edit-vm-file", "path": "a.vmx", "cards": ["ethernet0"], "plugged": False, "diff": ["-TRUE", "+FALSE"]},
]  # fmt: skip
ROOT_KEY = "[HKEY_LOCAL_MACHINE\\BCD00000000\\"
DIFFERENCE = [
    {
        "before_header": HIVE["hive"],
        "after_header": HIVE["hive"],
        "before": f'{ROOT_KEY}Objects\\{{x}}]\n@=dword:00000003\n"m"=hex(7):61,00\n"b"=hex(1):0a,00,00,00\n\n'
        f"{ROOT_KEY}Old]\n\n",
        "after": f'{ROOT_KEY}Objects\\{{x}}]\n"a \\"b\\" \\\\"="c:\\\\\\""\n@=dword:00000001\n"b"=hex:01,ff\n\n',
    },
    {
        "prepared": "+disk 0 partition 1: \\Boot\\\n-V: \\a sha256:old\n+V: \\a sha256:new (1 bytes, donor)\n"
        "-multi(0)\n+multi(1)\n-disk 0 byte 446 (MBR): 00\n+disk 0 byte 446 (MBR): 80\n"
        '+format-volume {"disk": 0, "offset": 1, "size": 2, "sector_size": 512, "serial": 3, "label": "EFI"}\n'
        "-TRUE\n+FALSE\n"
    },
]


@pytest.fixture
def ansible(tmp_path: Path, server1: BuiltMachine, donor: BuiltMachine) -> Path:
    """A folder with a playbook, the machines that it is about, and the collection where Ansible finds it."""
    try:
        version("ansible-core")
    except PackageNotFoundError:
        pytest.skip("ansible-core is not installed")
    collections = tmp_path / "collections" / "ansible_collections" / "bootgraft"
    collections.mkdir(parents=True)
    shutil.copytree(ROOT / "ansible", collections / "bootgraft")
    server1.disk.rename(tmp_path / "server1.raw")
    donor.disk.rename(tmp_path / "donor.raw")
    program = tmp_path / "bootgraft"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bootgraft.cli.main "$@"\n')
    program.chmod(0o755)
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    return tmp_path


def run(folder: Path, *words: str) -> str:
    environment = {
        **os.environ,
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ansible", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_repair_in_check_mode_then_done_then_not_again(ansible: Path) -> None:
    before = (ansible / "server1.raw").read_bytes()
    program = f"program={ansible / 'bootgraft'}"
    told = run(ansible, "playbook", "play.yml", "-e", program, "-e", f"ansible_python_interpreter={sys.executable}")
    results: list[dict[str, Any]] = json.loads((ansible / "results.json").read_text())
    planned, lacking, first, second, missing = results
    assert (planned["changed"], planned["verdict"], planned["journal"]) == (True, "boots", None)
    assert (first["changed"], first["verdict"]) == (True, "boots")
    assert planned["changes"] == first["changes"] != []
    assert Path(first["journal"]).exists()
    assert (second["changed"], second["changes"], second["diff"]) == (False, [], [])
    assert lacking["failed"]
    assert lacking["msg"].startswith("nothing was written: ")
    assert lacking["findings"][0]["findings"][0]["id"] == "device-binding-missing"
    assert missing["error"]["id"] == "image-missing"
    assert (ansible / "server1.raw").read_bytes() != before
    hive = planned["diff"][0]
    assert hive["before_header"].endswith("\\config\\SYSTEM")
    key = "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\symmpi]"
    assert key in hive["after"].splitlines()
    assert key not in hive["before"]
    assert '"Start"=dword:00000000' in hive["after"]
    assert "+" + key in told


def test_every_option_is_documented_as_it_is_and_every_change_is_shown(ansible: Path) -> None:
    program = f"""
import json, runpy, yaml
module = runpy.run_path({str(ROOT / "ansible/plugins/modules/repair.py")!r})
options = yaml.safe_load(module["DOCUMENTATION"])["options"].items()
documented = {{name: {{key: each[key] for key in each if key != "description"}} for name, each in options}}
print(json.dumps([documented, module["_spec"](), module["difference"]({CHANGES!r})]))
assert all(map(yaml.safe_load, (module["EXAMPLES"], module["RETURN"])))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ansible, capture_output=True, text=True, check=True)
    documented, taken, shown = json.loads(done.stdout)
    assert documented == taken
    assert shown == DIFFERENCE
