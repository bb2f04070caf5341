"""Loading a C library of the system through cffi's out-of-line ABI mode, with all that is bound of it, or one error.

cffi looks a function up when it is first used. One that is not there would end the work in its middle, so all are
looked up at once.
"""

from typing import Any

from msgspec import Struct

from bootgraft.errors import MissingDependencyError


class SharedLibrary(Struct, frozen=True):
    """A library: what ld.so calls it, what it does for us, and what distributions' packages of it are called.

    ``packages`` are Debian 12's, that of newer releases, and Fedora's.
    """

    soname: str
    purpose: str
    packages: tuple[str, str, str]

    def load(self, ffi: Any) -> Any:
        """What calls its functions, all of which are there.

        Raises:
            MissingDependencyError: it is not installed, is no library for this processor, or lacks a function.
        """
        try:
            lib = ffi.dlopen(self.soname)
        except OSError as error:
            raise self._unusable(f"cannot be loaded ({error})", f"Install it: apt install {self._names}") from error
        for name in dir(lib):
            try:
                getattr(lib, name)
            except (AttributeError, ffi.error) as error:
                raise self._unusable(
                    f"has no {name}: it is older than what bootgraft needs, or another copy is found before it",
                    f"Install your distribution's own again: apt install --reinstall {self._names}; "
                    f"`ldconfig -p` and LD_LIBRARY_PATH tell of other copies",
                ) from error
        return lib

    @property
    def _names(self) -> str:
        debian, newer, fedora = self.packages
        return f"{debian} (on newer releases {newer}; Fedora: {fedora})"

    def _unusable(self, fault: str, advice: str) -> MissingDependencyError:
        return MissingDependencyError(
            f"the library {self.soname}, which {self.purpose}, {fault}", where="this computer", advice=advice
        )
