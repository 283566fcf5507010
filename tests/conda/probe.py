"""What a rule sees of Python: probe.py MODULES NAMES OUT (to import, to look for: JSON lists)."""

import importlib
import importlib.util
import json
import sys
import sysconfig
from pathlib import Path

failed = {}
for module in json.loads(sys.argv[1]):
    try:
        importlib.import_module(module)
    except ImportError as error:
        failed[module] = str(error)
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
seen = {
    "prefix": sys.prefix,
    "stdlib": sysconfig.get_path("stdlib"),
    "path": sys.path[1:],
    "failed": failed,
    # PyTorch has modules without a file, that call themselves `_ops.py`.
    "files": [file for file in files if file and file != __file__ and Path(file).is_absolute()],
    "found": [name for name in json.loads(sys.argv[2]) if importlib.util.find_spec(name)],
}
Path(sys.argv[3]).write_text(json.dumps(seen))
