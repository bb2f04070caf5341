"""What an administrator reads at one in the morning."""

from tests.explain import logs

from bootgraft.explain.explanation import Explanation
from bootgraft.explain.logreader import LogReader
from bootgraft.explain.reading import lines
from bootgraft.report.explanation import explain_document, explain_text


def text_of(*texts: str, notes: tuple[str, ...] = ()) -> list[str]:
    return explain_text(explanation_of(*texts, notes=notes)).split("\n")


def explanation_of(*texts: str, notes: tuple[str, ...] = ()) -> Explanation:
    reader = LogReader()
    for number, text in enumerate(texts):
        reader.read(f"{number}.log", lines([text.encode()]))
    return Explanation(reader.report(), notes)


ROW = "[#8] [2011-10-05 09:00:00.000 02372 {} 'task-6'] {}\n"


def test_answer_evidence_and_what_to_type() -> None:
    text = text_of(ROW.format("info", "updates, percentage: 97, rate") + logs.AGENT_50, logs.WORKER_50)
    assert text[0] == (
        "The conversion copied the disks (97 %) and failed to make Windows bootable: "
        "the agent did not get the ticket with which it opens the target disk."
    )
    assert "destination: esxsrv17.jacksoncounty.org" in text
    assert "disks: [datastore1] E1Win72/E1Win72.vmdk" in text
    assert (
        "    0.log:3 2011-10-05 09:01:18.894: ReconfigTask failed to open the target. Error Operation timed out"
        "  [converter-target-not-opened]"
    ) in text
    assert "    bootgraft check E1Win72.vmdk --target vmware:lsilogic" in text


def test_network_faults_have_nothing_to_do_with_windows() -> None:
    text = text_of(logs.AGENT_60, logs.SERVER_60)
    assert text[0].startswith("The conversion failed while it copied the disks: the name of the target host")
    assert "disk: the target disk is incomplete: nothing on it is worth repairing" in text
    assert "The log does not name the disk: put yours in its place." in text


def test_virt_v2v() -> None:
    text = text_of(logs.IN_PLACE_NO_ROOT)
    assert text[0] == (
        "virt-v2v-in-place stopped before it changed the guest: virt-v2v found no operating system on the disks."
    )
    assert "    bootgraft inspect /dev/vdd" in text
    text = text_of(logs.V2V_WITHOUT_VIRTIO)
    assert text[0] == "The guest was converted, with limitations: virt-v2v had no virtio driver for this Windows."
    assert "    bootgraft repair DISK --target kvm:virtio-blk --drivers virtio-win.iso --dry-run" in text


def test_what_is_not_known_is_shown_and_not_explained() -> None:
    text = text_of(ROW.format("info", "before") + ROW.format("error", "The frob is bar") + ROW.format("info", "after"))
    assert text[0] == "The log shows 1 error not known to bootgraft: The frob is bar"
    at = text.index("    0.log:2 2011-10-05 09:00:00.000: The frob is bar")
    assert text[at + 1].endswith("before")
    assert text[at + 2].endswith("after")
    assert "disk: the log does not tell how much of it is written" in text
    assert text_of("virt-v2v: error: odd")[0] == "virt-v2v failed with an error that bootgraft does not know: odd"


def test_the_last_per_cents() -> None:
    text = text_of("98% FAILED: The frob is bar\n")
    assert text[0] == "The log shows 1 error not known to bootgraft (at 98 %): 98% FAILED: The frob is bar"
    assert any(line.startswith("What failed beyond 95 % in documented cases") for line in text)
    assert not any(line.startswith("What failed beyond") for line in text_of("42% FAILED: The frob is bar\n"))


def test_a_description_that_virt_v2v_read_is_read_again() -> None:
    text = text_of("[   0.0] Setting up the source: -i vmx /vm 1/vm.vmx\n" + logs.IN_PLACE_NO_ROOT.split("-i disk")[1])
    assert "    bootgraft inspect --vm '/vm 1/vm.vmx'" in text


def test_the_registry_is_not_read_by_a_description() -> None:
    """``reg`` takes disks alone: where the log names a description, the disk is left to the reader."""
    text = text_of(
        "virt-v2v-in-place: virt-v2v 2.2.0\n[   0.0] Setting up the source: -i vmx /vm/vm.vmx\n"
        "virt-v2v-in-place: error: libguestfs error: hivex_open: /Windows/System32/config/SOFTWARE: Invalid argument\n"
    )
    assert "    bootgraft reg verify DISK" in text
    assert "The log does not name the disk: put yours in its place." in text


def test_the_source_of_virt_v2v_is_not_what_it_wrote() -> None:
    head = "[   0.0] Setting up the source: -i disk /src.vmdk\n"
    lacking = text_of(head + logs.V2V_WITHOUT_VIRTIO.split("Windows-ovf\n")[1])
    assert "    bootgraft repair DISK --target kvm:virtio-blk --drivers virtio-win.iso --dry-run" in lacking
    unclean = text_of(
        head
        + "virt-v2v: error: filesystem was mounted read-only, even though we asked for it to be mounted read-write."
    )
    assert "    bootgraft repair /src.vmdk --target kvm:virtio-blk --reset-journal --dry-run" in unclean
    assert "That is the source's own disk: repair a copy of it." in unclean


def test_neither_failure_nor_end() -> None:
    assert text_of(logs.WORKER_50)[0] == (
        "No failure is in the log, and no end of the conversion either: it went on, or the log is cut off. "
        "Its last message is of 2011-10-05 09:02:23.359."
    )
    assert text_of("[   1.0] Finishing off")[0].startswith("The conversion finished: virt-v2v came to its end")


def test_earlier_jobs_and_notes() -> None:
    old = "[#8] [2011-10-05 01:00:00.000 02372 error 'task-6'] old\n"
    text = text_of(old + logs.AGENT_50, notes=("a.zip was not read",))
    assert "Not shown: 1 failure of earlier jobs." in text
    assert "note: a.zip was not read" in text


def test_names_from_a_log_are_quoted_and_stay_on_their_line() -> None:
    disk = "GetManagedDiskName: Get virtual disk filebacking [ds] x/-r $(reboot) ;.vmdk"
    text = text_of(ROW.format("info", disk) + logs.AGENT_50)
    assert "    bootgraft check './-r $(reboot) ;.vmdk' --target vmware:lsilogic" in text
    found = explain_text(explanation_of('{"message": "x\\nFAKE\\u2028y", "type": "error"}', notes=("a\nb",)))
    assert "\nFAKE" not in found
    assert "\nb" not in found


def test_several_disks() -> None:
    rows = "".join(
        ROW.format("info", f"GetManagedDiskName: Get virtual disk filebacking [ds] {each}.vmdk")
        for each in ("old/old", "vm/vm", "vm/vm_1")
    )
    text = text_of(rows + logs.AGENT_50)
    assert "    bootgraft check vm.vmdk vm_1.vmdk --target vmware:lsilogic" in text
    assert "The disks are in the order of the log; bootgraft wants them in BIOS order." in text
    assert any(line.startswith("Disks in other folders") for line in text)


def test_the_document_has_the_same() -> None:
    document = explain_document(explanation_of(logs.AGENT_50, logs.WORKER_50))
    assert document.summary == text_of(logs.AGENT_50, logs.WORKER_50)[0]
    assert (document.outcome, document.cause) == ("failed", "converter-ticket-timeout")
    assert document.disk_state == "copied"
    assert document.next.command == "bootgraft check E1Win72.vmdk --target vmware:lsilogic"
    assert document.failures[1].line == 2
