"""Which product a driver belongs to that only the old machine needed, by the name of its service.

Names as the products' own INFs and installers have them (VMware Tools, VirtualBox Guest Additions, the drivers of Xen
and XCP-ng, virtio-win) and virt-v2v's list of Parallels' (libguestfs-common, ``mlcustomize/inject_virtio_win.ml``).
"""

_PRODUCTS = {
    "VMware Tools": "vmci vsock vmscsi pvscsi vmmemctl vmhgfs vmrawdsk vmdebug vmx_svga vm3dmp vmxnet vmmouse "
    "vmusbmouse vmxnet3ndis5 vmxnet3ndis6",
    "VirtualBox Guest Additions": "vboxguest vboxmouse vboxsf vboxvideo vboxwddm",
    "Xen's drivers": "xenbus xenvbd xenvif xennet xeniface xenfilt xendisk xencrsh xenevtchn xenpci xenhid xenvkbd "
    "scsifilt rhelscsi rhelnet rhelfltr",
    "Parallels Tools": "prl_boot prl_dd prl_eth5 prl_fs prl_memdev prl_mouf prl_pv32 prl_pv64 prl_scsi prl_sound "
    "prl_strg prl_tg prl_time prl_uprof prl_va",
    "virtio-win": "viostor vioscsi netkvm balloon vioser viorng vioinput viofs viogpudo pvpanic qemufwcfg",
}
_OF_SERVICE = {name: product for product, names in _PRODUCTS.items() for name in names.split()}


def product_of(service: str) -> str | None:
    """``VMware Tools`` for ``vmci``; None where the name is nobody's."""
    return _OF_SERVICE.get(service.casefold())
