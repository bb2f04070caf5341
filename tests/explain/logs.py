"""Logs as their sources print them; each name says where the lines are from."""

# https://community.broadcom.com/vmware-cloud-foundation/discussion/standalone-converter-failed-at-98
AGENT_50 = """\
[#8] [2011-10-05 09:01:18.894 02372 error 'task-6'] [GetDiskTicketInfos] Timed out while waiting for the response.
[#8] [2011-10-05 09:01:18.894 02372 error 'task-6'] ReconfigTask failed to open the target. Error Operation timed out
[#8] [2011-10-05 09:01:18.894 02372 error 'task-6'] TaskImpl has failed with MethodFault::Exception: \
converter.fault.ReconfigurationFault
[#8] [2011-10-05 09:01:18.894 02372 error 'App'] Task failed:
[#8] [2011-10-05 09:01:18.894 02372 info 'task-6'] Scheduled timer canceled, StopKeepAlive succeeds
[#8] [2011-10-05 09:01:18.894 02372 info 'App'] Task Completed : task-6
[#8] [2011-10-05 09:02:18.907 04232 warning 'task-6'] [PassDiskTickets] There is no request corresonding to this \
response, ignoring...
"""
WORKER_50 = """\
[#2] [2011-10-05 09:00:23.343 01416 info 'task-1'] Reusing existing VIM connection to esxsrv17.jacksoncounty.org
[#2] [2011-10-05 09:02:23.359 01416 info 'task-1'] GetManagedDiskName: Get virtual disk filebacking [datastore1] \
E1Win72/E1Win72.vmdk
"""

# https://qiita.com/items/a080345414f4bdf98392
SERVER_60 = """\
2016-06-16T09:05:46.747+09:00 error vmware-converter-server[04780] [Originator@6876 sub=Default] [task,350] [LRO] \
Unexpected Exception: converter.fault.FileIOFault
2016-06-16T09:05:46.763+09:00 info vmware-converter-server[04780] [Originator@6876 sub=Default] [task,379] [task-4] \
-- ERROR -- Convert: converter.fault.FileIOFault
--> (converter.fault.FileIOFault) {
-->    faultCause = (vmodl.MethodFault) null,
-->    file = "",
-->    msg = ""
--> }
"""
AGENT_60 = """\
2016-06-16T09:05:21.671+09:00 warning vmware-converter-agent[03808] [Originator@6876 sub=Default] [,0] [NFC ERROR] \
NfcNewAuthdConnectionEx: Failed to connect to peer. Error: Host address lookup for server vms02 failed: No such host \
is known
2016-06-16T09:05:21.671+09:00 info vmware-converter-agent[03808] [Originator@6876 sub=Default] \
Sysimgbase_DiskLib_OpenWithPassPhrase failed with 'NBD_ERR_NETWORK_CONNECT' (error code:2338)
"""

# https://github.com/vexxhost/migratekit/issues/137
IN_PLACE_NO_ROOT = """\
INFO[0029] Running virt-v2v-in-place
[   0.0] Setting up the source: -i disk /dev/vdd
[   1.1] Opening the source
[  11.5] Checking filesystem integrity before conversion
[  13.2] Detecting if this guest uses BIOS or UEFI to boot
[  13.4] Inspecting the source
virt-v2v-in-place: error: inspection could not detect the source guest (or\x20
physical machine) operating system.

Assuming that you are running virt-v2v/virt-p2v on a source which is\x20
supported (and not, for example, a blank disk), then this should not\x20
happen.

No root device found in this operating system image.

If reporting bugs, run virt-v2v-in-place with debugging enabled and include\x20
the complete output:

  virt-v2v-in-place -v -x [...]
Removing snapshot 100% [======] (100/100) [0s:0s]
"""

# https://github.com/adminsyspro/proxcenter-ui/issues/400
JSON_NO_ROOT = r"""{ "message": "Setting up the source: -i disk /mnt/pve/v2v/disk-0.vmdk", "timestamp": "2026-06-09T15:26:27.973620926+02:00", "type": "message" }
[   0.0] Setting up the source: -i disk /mnt/pve/v2v/disk-0.vmdk
{ "message": "Opening the source", "timestamp": "2026-06-09T15:26:29.044762574+02:00", "type": "message" }
[   1.1] Opening the source
{ "message": "Inspecting the source", "timestamp": "2026-06-09T15:26:30.571300651+02:00", "type": "message" }
[   2.6] Inspecting the source
{ "message": "inspection could not detect the source guest (or physical machine).\n\nAssuming that you are running virt-v2v/virt-p2v on a source which is supported (and not, for example, a blank disk), then this should not happen.\n\nNo root device found in this operating system image.", "timestamp": "2026-06-09T15:26:34.443250970+02:00", "type": "error" }
"""  # noqa: E501

# https://github.com/libguestfs/virt-v2v: a conversion without virtio-win, wrapped as on a terminal
V2V_WITHOUT_VIRTIO = """\
[   0.0] Setting up the source: -i ova Windows-ovf
[   6.5] Opening the source
[  10.9] Inspecting the source
[  14.0] Checking for sufficient free disk space in the guest
[  14.0] Converting Windows Server 2022 Datacenter to run on KVM
virt-v2v: warning: there are no virtio drivers available for this version\x20
of Windows (10.0 x86_64 Server win2k22).  virt-v2v looks for drivers in\x20
/usr/share/virtio-win/virtio-win.iso

The guest will be configured to use slower emulated devices.
virt-v2v: This guest does not have virtio drivers installed.
[  28.8] Mapping filesystem data to avoid copying unused and blank areas
[  30.0] Copying disk 1/1
    (100.00/100%)
[  90.1] Creating output metadata
[  90.2] Finishing off
"""
