"""A package is data: equal where it says the same, and usable as a key."""

from bootgraft.changes import RegistryData
from bootgraft.drivers.package import DriverPackage, PackageFile, PackageKey, PackageValue


def package(data: bytes = b"MZ") -> DriverPackage:
    values = (PackageValue("Start", RegistryData(4, bytes(4))), PackageValue("Tag", None))
    file = PackageFile("system32\\drivers\\symmpi.sys", data)
    return DriverPackage("donor.vmdk", "symmpi", (PackageKey("Services\\symmpi", values),), (file,))


def test_packages_compare_by_what_they_hold() -> None:
    assert package() == package()
    assert package() != package(b"ZM")
    assert len({package(), package()}) == 1
