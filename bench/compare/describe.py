"""Print what a peer says of itself, as JSON: python describe.py celer"""

import importlib
import json
import sys
from types import SimpleNamespace

from children import asked
from problems import SPECS

peer = importlib.import_module(f"peers.{sys.argv[1]}")
refuses = {}
for loss, penalty in {(spec.loss, spec.penalty) for spec in SPECS.values()}:
    for kind in ("dense", "sparse", "genotypes"):
        problem = SimpleNamespace(loss=loss, penalty=penalty, kind=kind)
        refuses[asked(problem)] = peer.refuses(problem)
answer = {"version": peer.version(), "tolerances": peer.TOLERANCES, "refuses": refuses}
print(json.dumps(answer | {"cross_validates": hasattr(peer, "cross_validate")}))
