"""Which matrix product OpenBLAS should use: to be asked before NumPy is imported.

NumPy's OpenBLAS (0.3.31 and before) does not recognise some processors that have AVX-512, AMD's
Zen 5 among them, and takes its AVX2 kernels: half the speed (OpenMathLib/OpenBLAS, pull request
6033). It reads OPENBLAS_CORETYPE once, when NumPy is imported:

    name = openblas_kernel(Path("/proc/cpuinfo").read_text())
    if name: os.environ.setdefault("OPENBLAS_CORETYPE", name)
"""

import re

# What OpenBLAS's SkylakeX kernels are compiled for (AVX-512 F, CD, BW, DQ, VL).
NEEDED = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
# Families of AMD that the released OpenBLAS does not know: 26 is Zen 5.
UNKNOWN = {("AuthenticAMD", 26)}


def openblas_kernel(cpuinfo: str) -> str | None:
    """The value for OPENBLAS_CORETYPE, or None where OpenBLAS should choose by itself.

    cpuinfo: the text of Linux's /proc/cpuinfo.
    """
    field = dict(re.findall(r"^(vendor_id|cpu family|flags)\s*:\s*(.*)$", cpuinfo, re.MULTILINE))
    if set(field) != {"vendor_id", "cpu family", "flags"}:
        return None
    unknown = (field["vendor_id"], int(field["cpu family"])) in UNKNOWN
    return "SkylakeX" if unknown and set(field["flags"].split()) >= NEEDED else None
