#!/usr/bin/env bash
# bench/compare/peers.sh VENV: an environment with the newest of what pyproject.toml's extra [bench] names, not riata itself.
# Benches reach it with --peer-python VENV/bin/python. glmnet is R's: apt-get install r-cran-glmnet.
set -euo pipefail
here="$(cd "$(dirname "$0")/../.." && pwd)"
[ -x "$1/bin/python" ] || python3 -m venv "$1"
"$1/bin/python" - "$here/pyproject.toml" <<'PYTHON' | xargs "$1/bin/pip" install -q --upgrade scikit-learn matplotlib
import re
import sys
from pathlib import Path

(names,) = re.findall(r"^bench = \[(.*)\]$", Path(sys.argv[1]).read_text(), re.MULTILINE)
print(*re.findall(r'"([^"]+)"', names))
PYTHON
cd "$here/bench/compare"
for peer in sklearn celer skglm adelie glmnet glmstar sortedl1; do
  printf '%s ' "$peer"
  "$1/bin/python" -c "import importlib; print(importlib.import_module('peers.$peer').version())" 2>&1 | tail -n 1
done
