"""Print what a peer says of itself, as JSON: python describe.py celer"""

import importlib
import json
import sys
from types import SimpleNamespace

peer = importlib.import_module(f"peers.{sys.argv[1]}")
kinds = [(loss, kind) for loss in ("gaussian", "binomial") for kind in ("dense", "sparse", "genotypes")]
refuses = {f"{loss} {kind}": peer.refuses(SimpleNamespace(loss=loss, kind=kind)) for loss, kind in kinds}
answer = {"version": peer.version(), "tolerances": peer.TOLERANCES, "refuses": refuses}
print(json.dumps(answer | {"cross_validates": hasattr(peer, "cross_validate")}))
