"""Whether the loader of one Windows takes a boot driver that is signed so: each signature judged, not the best.

Microsoft, "Driver Signing Policy", "Kernel-Mode Code Signing Requirements", "Availability of SHA-2 code signing support
for Windows 7 and Windows Server 2008 R2" (KB3033929), "The Windows Driver Policy" (2026); OSR, "Windows 10 1607 driver
signing" (2016). What those leave open is answered "unknown".
"""

from collections.abc import Sequence
from datetime import date
from enum import IntEnum, StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.windows.pe import Architecture
from bootgraft.windows.signatures.signature import VOUCHED, FileSignature, SignatureClass
from bootgraft.windows.versions import VISTA, WINDOWS_7, WINDOWS_8, WINDOWS_10

STATUS = "0xc0000428"
"""STATUS_INVALID_IMAGE_HASH: what the loader stops with, before any STOP screen."""

_LAST_FREE_LEAF = date(2015, 7, 29)
"""Certificates issued before this day still sign for a Windows that takes Microsoft's signatures only."""
_BUILD_1607 = 14393
_BUILD_24H2 = 26100


class Acceptance(IntEnum):
    """How a loader takes a driver; the better one is the smaller."""

    ACCEPTED = 0
    UNKNOWN = 1
    REFUSED = 2


class DriverPolicy(StrEnum):
    """The driver policy of 2026, as its file in a folder of active policies shows."""

    NONE = "none"
    AUDIT = "audit"
    ENFORCED = "enforced"


class Rules(Struct, frozen=True, kw_only=True):
    """What one Windows goes by. ``build`` is 0 where unknown; a truth is None where nothing tells.

    ``knows_sha2`` is asked of Windows 7 only, ``is_upgraded`` and ``driver_policy`` of Windows 10 and later. ``today``
    is when it is to start.
    """

    product: str
    version: tuple[int, int]
    build: int
    arch: Architecture
    knows_sha2: bool | None = None
    secure_boot: bool | None = None
    is_upgraded: bool = False
    test_signing: bool = False
    driver_policy: DriverPolicy = DriverPolicy.NONE
    today: date | None = None

    @property
    def enforced(self) -> bool:
        """Whether its loader looks at signatures of boot drivers at all."""
        if self.version < VISTA:
            return False
        return self.arch is not Architecture.X86 or (self.secure_boot is True and self.version >= WINDOWS_8)


class Judgement(Struct, frozen=True):
    """How a file or a signature is taken. ``short`` is its class (``cross-signed``), ``reason`` says more; for people.

    ``remark`` is what may go wrong all the same. ``hangs_on_secure_boot``: without that it would be accepted.
    """

    acceptance: Acceptance
    short: str
    reason: str
    remark: str = ""
    hangs_on_secure_boot: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it cannot be known how it is taken."""
        return self.acceptance is Acceptance.UNKNOWN


def judge_file(signatures: Sequence[FileSignature], rules: Rules) -> Judgement:
    """How the file that carries these signatures is taken: by the one that is taken best."""
    judged = _judge(signatures, rules)
    if judged.acceptance is Acceptance.ACCEPTED or rules.secure_boot is False:
        return judged
    without = _judge(signatures, replace(rules, secure_boot=False))
    return replace(judged, hangs_on_secure_boot=without.acceptance is Acceptance.ACCEPTED)


def _judge(signatures: Sequence[FileSignature], rules: Rules) -> Judgement:
    if not rules.enforced:
        return _accepted(_short(signatures), f"{_kind_of(rules)} loads boot drivers without looking at signatures")
    if not signatures:
        return _refused("unsigned", "it carries no signature")
    judged = [judge_signature(each, rules) for each in signatures]
    best = min(judged, key=lambda each: each.acceptance)
    if rules.arch is Architecture.X86 and best.acceptance is Acceptance.REFUSED:
        return _unknown(best.short, f"{best.reason}; what 32-bit Windows does under Secure Boot is not documented")
    if best.acceptance is not Acceptance.ACCEPTED and len(judged) > 1:
        reasons = dict.fromkeys(each.reason for each in judged if each.acceptance is best.acceptance)
        return Judgement(best.acceptance, best.short, "; ".join(reasons), best.remark)
    return best


def judge_signature(signature: FileSignature, rules: Rules) -> Judgement:
    """How one signature is taken by a Windows that looks at them."""
    kind = signature.kind.value
    if signature.kind in (SignatureClass.ALTERED, SignatureClass.INVALID):
        return _refused(kind, f"{kind}: {signature.detail}")
    if signature.kind is SignatureClass.UNREADABLE:
        return _unknown(kind, f"{kind}: {signature.detail}")
    judged = _by_policy(signature, rules)
    if judged.acceptance is Acceptance.ACCEPTED and not signature.is_first and rules.version < WINDOWS_8:
        return _unknown(kind, f"{kind} by a second signature, which is documented for Windows 8 and later only")
    if judged.acceptance is not Acceptance.ACCEPTED and rules.test_signing and rules.secure_boot is not True:
        if rules.secure_boot is False:
            return _accepted(kind, f"{kind}, and test signing is on (testsigning)")
        return _unknown(kind, f"{kind}; test signing is on, which Secure Boot overrides, if that is on")
    return judged


def _by_policy(signature: FileSignature, rules: Rules) -> Judgement:
    kind = signature.kind
    if kind not in VOUCHED:
        if kind is SignatureClass.SELF_SIGNED:
            return _refused(kind.value, _named(signature))
        return _refused(kind.value, f"{_named(signature)} ({signature.detail})")
    if kind is SignatureClass.MICROSOFT_STANDARD:
        return _unknown(kind.value, f"{kind.value}, which is not documented to be one for boot drivers")
    if rules.version < WINDOWS_8:
        return _before_8(signature, rules)
    if kind is SignatureClass.ATTESTATION and rules.version < WINDOWS_10:
        return _unknown(kind.value, f"{kind.value}, which Microsoft documents for Windows 10 and later only")
    if kind is SignatureClass.CROSS_SIGNED and rules.version >= WINDOWS_10 and not 0 < rules.build < _BUILD_1607:
        return _cross_signed(signature, rules)
    return _taken(signature, rules)


def _before_8(signature: FileSignature, rules: Rules) -> Judgement:
    kind = signature.kind.value
    if signature.needs_sha2:
        if rules.version < WINDOWS_7:
            return _unknown(kind, f"{kind} by SHA-256 only, which needs an update that is not looked for")
        if rules.knows_sha2 is None:
            return _unknown(kind, f"{kind} by SHA-256 only; whether this Windows knows it (KB3033929) cannot be read")
        if not rules.knows_sha2:
            if signature.hash == "sha1":
                return _unknown(kind, f"{kind} by certificates of SHA-256, which need an update (KB3033929)")
            return _refused(kind, f"{kind} by SHA-256 only, which needs an update (KB3033929 or KB4474419)")
    if signature.kind is SignatureClass.ATTESTATION:
        return _unknown(kind, f"{kind}, which Microsoft documents for Windows 10 and later only")
    return _taken(signature, rules)


def _cross_signed(signature: FileSignature, rules: Rules) -> Judgement:
    """A vendor's own signature in Windows 10 1607 and later."""
    kind = signature.kind.value
    if rules.driver_policy is DriverPolicy.ENFORCED and not 0 < rules.build < _BUILD_24H2:
        return _unknown(kind, f"{kind}; the driver policy of 2026 is enforced, and may not have it on its allow list")
    if rules.is_upgraded or rules.secure_boot is False or _issued_early(signature):
        return _taken(signature, rules)
    since = f"{kind} with a certificate issued on {signature.issued}, not before {_LAST_FREE_LEAF}"
    if rules.secure_boot:
        return _unknown(kind, f"{since}: likely to be refused while Secure Boot is on")
    return _unknown(kind, f"{since}: likely to be refused if Secure Boot is on, which is not known")


def _issued_early(signature: FileSignature) -> bool:
    return signature.issued is not None and signature.issued < _LAST_FREE_LEAF


def _taken(signature: FileSignature, rules: Rules) -> Judgement:
    remark = ""
    if rules.today and signature.expires and signature.expires < rules.today and signature.timestamp is None:
        remark = f"its certificate expired on {signature.expires}, and no timestamp tells that it was signed before"
    return Judgement(Acceptance.ACCEPTED, signature.kind.value, _named(signature), remark)


def _named(signature: FileSignature) -> str:
    return f"{signature.kind.value} by {signature.signer}" if signature.signer else signature.kind.value


def _short(signatures: Sequence[FileSignature]) -> str:
    return signatures[0].kind.value if signatures else "unsigned"


def _kind_of(rules: Rules) -> str:
    return rules.product if rules.version < VISTA else f"32-bit {rules.product}"


def _accepted(short: str, reason: str) -> Judgement:
    return Judgement(Acceptance.ACCEPTED, short, reason)


def _unknown(short: str, reason: str) -> Judgement:
    return Judgement(Acceptance.UNKNOWN, short, reason)


def _refused(short: str, reason: str) -> Judgement:
    return Judgement(Acceptance.REFUSED, short, reason)
