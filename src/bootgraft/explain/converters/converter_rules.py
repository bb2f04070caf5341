"""What VMware Converter's messages mean."""

import re

from bootgraft.explain.rules import DiskState, Fault, MessageKind, Next, Phase, Rule

_THREAD = "https://community.broadcom.com/vmware-cloud-foundation/discussion/standalone-converter-failed-at-98"
_BOOT_INI = "https://knowledge.broadcom.com/external/article/330168/using-vmware-converter-conversion-fails.html"
_QIITA = "https://qiita.com/items/a080345414f4bdf98392"
_CONETRIX = "https://conetrix.com/Blog/vmware-p2v-virtual-machine-reconfiguration-failed"
_KB_DRIVER = "https://kb.vmware.com/kb/1005208"
_KB_HELPER = "https://kb.vmware.com/kb/2033203"

_SHUT_DOWN = "Leave the new machine switched off and make its disks readable here; bootgraft takes over from there:"
_AGAIN = "Fix that and run the conversion again; then see whether the new machine would start:"

RULES = (
    Rule(
        id="converter-system-volume-not-found",
        pattern=re.compile(r"Unable to find the system volume", re.I),
        quoted="FAILED: Unable to find the system volume, reconfiguration is not possible.",
        phase=Phase.RECONFIGURING,
        fault=Fault.GUEST,
        headline="the Converter did not find the Windows that boots",
        cause=(
            "Converter follows boot.ini or the BCD store to the Windows it shall reconfigure and found it "
            "leading nowhere: a partition was left out of the copy, the default entry is missing, or the path "
            "is of a kind that it does not know."
        ),
        meaning=(
            "No driver for the new controller was put in: the machine stops with 0x7B, or the loader finds no Windows."
        ),
        disk=DiskState.COPIED,
        next_step=_SHUT_DOWN,
        next=Next.CHECK,
        sources=(_BOOT_INI,),
    ),
    Rule(
        id="converter-signature-path",
        pattern=re.compile(r"\bsignature\([0-9a-f]{1,8}\)disk\(\d+\)rdisk\(\d+\)partition\(\d+\)", re.I),
        quoted="signature(41ab2316)disk(0)rdisk(0)partition(1)",
        phase=Phase.RECONFIGURING,
        fault=Fault.GUEST,
        headline="boot.ini has a signature() path, which the Converter does not support",
        cause=(
            "boot.ini names the disk of Windows by its signature. Converter does not support that ARC path, "
            "though ntldr does."
        ),
        meaning=(
            "Converter gives up the reconfiguration; where the new disk has another signature, ntldr does not "
            "find Windows either."
        ),
        disk=DiskState.COPIED,
        next_step=_SHUT_DOWN,
        next=Next.CHECK,
        sources=(_BOOT_INI,),
        kind=MessageKind.HINT,
        explains=("converter-reconfiguration",),
    ),
    Rule(
        id="converter-target-not-opened",
        pattern=re.compile(r"ReconfigTask failed to open the target", re.I),
        quoted="ReconfigTask failed to open the target. Error Operation timed out",
        phase=Phase.RECONFIGURING,
        fault=Fault.CONNECTION,
        headline="the Converter could not open the target disk again",
        cause=(
            "To reconfigure, the agent opens the new disk over the network with a ticket that the worker "
            "fetches from the ESX host or vCenter. It got none, or the host did not answer: name resolution, "
            "port 902, a slow or busy host."
        ),
        meaning="The network was at fault, not Windows; but no driver for the new controller was put in.",
        disk=DiskState.COPIED,
        next_step=_SHUT_DOWN,
        next=Next.CHECK,
        sources=(_THREAD,),
    ),
    Rule(
        id="converter-ticket-timeout",
        pattern=re.compile(r"\[GetDiskTicketInfos\] Timed out while waiting for the response", re.I),
        quoted="[GetDiskTicketInfos] Timed out while waiting for the response.",
        phase=Phase.CONNECTING,
        fault=Fault.CONNECTION,
        headline="the agent did not get the ticket with which it opens the target disk",
        cause=(
            "The agent asks the worker, the worker asks the ESX host or vCenter for a ticket to the new disk. "
            "No answer came in time: often the worker cannot resolve or reach the host."
        ),
        meaning="The network was at fault, not Windows. No driver for the new controller was put in.",
        disk=DiskState.UNKNOWN,
        next_step=_SHUT_DOWN,
        next=Next.CHECK,
        sources=(_THREAD,),
    ),
    Rule(
        id="converter-host-not-resolved",
        pattern=re.compile(r"Host address lookup for server \S+ failed", re.I),
        quoted=(
            "[NFC ERROR] NfcNewAuthdConnectionEx: Failed to connect to peer. Error: Host address lookup for "
            "server vms02 failed: No such host is known"
        ),
        phase=Phase.CONNECTING,
        fault=Fault.CONNECTION,
        headline="the name of the target host could not be resolved on the machine that ran the agent",
        cause=(
            "The agent writes to the ESX host by its name, and DNS or the hosts file of that machine does not know it."
        ),
        meaning=(
            "Windows and its drivers are not the cause. Where the copy was still going on, what is on the "
            "target disk is worthless."
        ),
        disk=DiskState.UNKNOWN,
        next_step=(
            "Make the host's name known there (DNS, or %SystemRoot%\\system32\\drivers\\etc\\hosts) and run the "
            "conversion again; then see whether the new machine would start:"
        ),
        next=Next.CHECK,
        sources=(_QIITA,),
    ),
    Rule(
        id="converter-network-connect",
        pattern=re.compile(r"\bNBD_ERR_NETWORK_CONNECT\b|\[NFC ERROR\] NfcNewAuthdConnectionEx: Failed to connect"),
        quoted="Sysimgbase_DiskLib_OpenWithPassPhrase failed with 'NBD_ERR_NETWORK_CONNECT' (error code:2338)",
        phase=Phase.CONNECTING,
        fault=Fault.CONNECTION,
        headline="the agent could not connect to the target host",
        cause=(
            "The agent opens the new disk on the ESX host itself, on port 902. Name resolution, a firewall or a "
            "route is in the way."
        ),
        meaning=(
            "Windows and its drivers are not the cause. Where the copy was still going on, what is on the "
            "target disk is worthless."
        ),
        disk=DiskState.UNKNOWN,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(_QIITA,),
    ),
    Rule(
        id="converter-helper-address",
        pattern=re.compile(r"HelperVmFailedToObtainIpFault|ObtainHelperVmIpFailedEvent"),
        quoted="converter.fault.HelperVmFailedToObtainIpFault",
        phase=Phase.PREPARING,
        fault=Fault.CONNECTION,
        headline="the helper machine at the target got no network address",
        cause=(
            "For a Linux source, Converter starts a helper machine at the target, which fetches the data. It "
            "got no address from DHCP, or the one it was given does not work on that network."
        ),
        meaning=("The guest is not the cause. Give the helper machine an address in the options of the job."),
        disk=DiskState.NOTHING,
        next_step=_AGAIN,
        next=Next.CHECK,
        sources=(_KB_HELPER,),
    ),
    Rule(
        id="converter-file-io",
        pattern=re.compile(r"converter\.fault\.FileIOFault|A file I/O error occurred while accessing"),
        quoted="FAILED: A file I/O error occurred while accessing",
        phase=Phase.COPYING,
        fault=Fault.UNKNOWN,
        headline="a disk could not be read or written",
        cause=(
            "Reading the source (bad sectors, a failing disk) or writing the target (the network, a full "
            "datastore) failed. The agent's log, in the agentTask archive of the exported logs, says which."
        ),
        meaning="The reconfiguration is not the cause. The copy is not complete.",
        disk=DiskState.INCOMPLETE,
        next_step=(
            "Look for the cause in the agent's log, run chkdsk on the source, and convert again; then see "
            "whether the new machine would start:"
        ),
        next=Next.CHECK,
        sources=(_QIITA,),
        kind=MessageKind.SYMPTOM,
    ),
    Rule(
        id="converter-reconfiguration",
        pattern=re.compile(r"converter\.fault\.ReconfigurationFault|virtual machine reconfiguration failed", re.I),
        quoted="TaskImpl has failed with MethodFault::Exception: converter.fault.ReconfigurationFault",
        phase=Phase.RECONFIGURING,
        fault=Fault.UNKNOWN,
        headline="the reconfiguration of Windows failed",
        cause=(
            "Converter copies the disks first and then edits the Windows on the copy: the driver of the new "
            "controller, its registry keys, boot.ini. This second part failed; the lines before it say why."
        ),
        meaning=(
            "The machine would stop with 0x7B INACCESSIBLE_BOOT_DEVICE: the driver for its controller was not put in."
        ),
        disk=DiskState.COPIED,
        next_step=_SHUT_DOWN,
        next=Next.CHECK,
        sources=(_THREAD, _CONETRIX, _KB_DRIVER),
        kind=MessageKind.SYMPTOM,
    ),
)
