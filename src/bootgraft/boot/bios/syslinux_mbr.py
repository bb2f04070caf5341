"""MBR code that may be passed on: that of Syslinux, which starts the one active partition.

The 440 bytes are ``mbr.bin`` as Debian's package syslinux-common 3:6.04~git20190206.bf6db5b4+dfsg1-3 has it. Syslinux
as a whole is under the GNU GPL; ``mbr/mbr.S`` and ``mbr/adjust.h``, which this is made of, are under the MIT licence
(the package's ``copyright``: "License: Expat"; the head of ``mbr.S`` itself). What it does
(https://wiki.syslinux.org/wiki/index.php?title=Mbr): it reads the first sector of the one partition that is marked
active, by LBA where the BIOS can, and goes there with the number of the drive in DL, as Microsoft's code does. It names
no file and no file system. Disk signature and partition table lie behind these bytes.

The notice that belongs to it:

Copyright 2007-2009 H. Peter Anvin - All Rights Reserved
Copyright 2009-2014 Intel Corporation; author: H. Peter Anvin

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

SOURCE = "the free MBR code of Syslinux 6.04 (MIT licence), which bootgraft brings along"
CODE = bytes.fromhex(
    "33c0fa8ed88ed0bc007c89e606578ec0fbfcbf0006b90001f3a5ea1f0600005252b441bbaa5531c930f6f9cd13721381"
    "fb55aa750dd1e9730966c7068d06b442eb155ab408cd1383e13f510fb6c640f7e152506631c06699e86600e835014d69"
    "7373696e67206f7065726174696e672073797374656d2e0d0a66606631d2bb007c6652665006536a016a1089e666f736"
    "f47bc0e40688e188c592f636f87b88c608e141b801028a16fa7bcd138d64106661c3e8c4ffbebe7dbfbe07b92000f3a5"
    "c3666089e5bbbe07b9040031c05351f6078074034089de83c310e2f348745b7939595b8a47043c0f7406247f3c057522"
    "668b4708668b56146601d06621d275036689c2e8acff7203e8b6ff668b461ce8a0ff83c310e2cc6661c3e876004d756c"
    "7469706c652061637469766520706172746974696f6e732e0d0a668b44086603461c66894408e830ff722766813e007c"
    "5846534275096683c004e81cff7213813efe7d55aa0f85f2febcfa7b5a5f07faffe4e81e004f7065726174696e672073"
    "797374656d206c6f6164206572726f722e0d0a5eacb40e8a3e6204b307cd103c0a75f1cd18f4ebfd0000000000000000"
    "0000000000000000"
)
