"""Make the small glmnet references beside this file: python tests/data/references/make.py

The data are simulated here; the paths are glmnet's (thresh = 1e-14), so Rscript with glmnet must be there.
Parameters are stored in riata's meaning, that is for the objective

    (1/sum w) sum_i w_i loss(y_i, b0 + x_i b + offset_i)
        + alpha sum_j pf_j (l1_ratio |s_j b_j| + (1 - l1_ratio)/2 (s_j b_j)^2),

s_j the weighted (1/n) standard deviation of column j, or 1 without standardising. glmnet differs in two ways.
It rescales penalty factors to sum to p, so that alpha = lambda p / sum(pf). For the gaussian it scales y to
unit standard deviation first, which divides its ridge part by sd(y), so that
alpha = lambda (a + (1 - a) / sd(y)) and l1_ratio = lambda a / alpha. It does neither for several responses.
With K outputs (classes, one-hot, or responses) coefficients are stored as P x K x L and intercepts as K x L,
and the penalty is summed over outputs, or grouped: on the norm of a feature's K coefficients.
Every path is checked here against the optimality conditions of this objective.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
N, P, N_ALPHAS = 40, 12, 8
K = 3  # outputs, where there are several
SEVERAL = {"multinomial": "multinomial", "mgaussian": "multigaussian"}  # glmnet's families and our losses


@dataclass
class Case:
    """One path: what glmnet is asked for, in glmnet's words."""

    name: str
    family: str = "gaussian"
    a: float = 1.0
    intercept: bool = True
    standardize: bool = True
    sparse: bool = False
    grouped: bool = False
    uses: tuple[str, ...] = field(default=())


CASES = (
    Case("gaussian_lasso"),
    Case("gaussian_enet", a=0.5),
    Case("gaussian_ridge", a=0.0),
    Case("gaussian_weighted", uses=("weights",)),
    Case("gaussian_weighted_enet", a=0.3, uses=("weights",)),
    Case("gaussian_offset", uses=("offset",)),
    Case("gaussian_penalty_factor", uses=("penalty_factor",)),
    Case("gaussian_box", uses=("lower", "upper")),
    Case("gaussian_no_intercept", intercept=False),
    Case("gaussian_unstandardized", standardize=False),
    Case("gaussian_sparse", sparse=True),
    Case("binomial_lasso", family="binomial"),
    Case("binomial_enet", family="binomial", a=0.5, uses=("weights", "offset")),
    Case("binomial_ridge", family="binomial", a=0.0),
    Case("binomial_penalty_factor", family="binomial", uses=("penalty_factor",)),
    Case("binomial_box", family="binomial", uses=("lower", "upper")),
    Case("binomial_no_intercept", family="binomial", intercept=False),
    Case("binomial_unstandardized", family="binomial", standardize=False),
    Case("binomial_sparse", family="binomial", sparse=True),
    Case("poisson_lasso", family="poisson"),
    Case("poisson_enet", family="poisson", a=0.5),
    Case("poisson_weighted_offset", family="poisson", uses=("weights", "offset")),
    Case("multinomial_lasso", family="multinomial"),
    Case("multinomial_enet", family="multinomial", a=0.5, uses=("weights", "offset")),
    Case("multinomial_grouped", family="multinomial", grouped=True),
    Case("multinomial_grouped_enet", family="multinomial", a=0.5, grouped=True, uses=("weights",)),
    Case("multigaussian_lasso", family="mgaussian", grouped=True),
    Case("multigaussian_enet", family="mgaussian", a=0.4, grouped=True, uses=("weights", "offset")),
    Case("multigaussian_unstandardized", family="mgaussian", grouped=True, standardize=False),
)


def simulate(case: Case, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Correlated columns of unlike means and scales, or 70 % zeros; three signals."""
    X = rng.standard_normal((N, P)) + 0.7 * rng.standard_normal((N, 1))
    if case.sparse:
        X *= rng.random((N, P)) < 0.3
    else:
        X += rng.normal(0.0, 0.5, P)
    X *= np.geomspace(0.5, 3.0, P)
    scale = X.std(axis=0)
    truth = np.zeros(P)
    truth[[1, 4, 8]] = np.array([1.0, -1.5, 0.8]) / scale[[1, 4, 8]]
    signal = X @ truth - (X @ truth).mean()
    data = {"X": X}
    if case.family in SEVERAL:
        truth = np.zeros((P, K))
        truth[[1, 4, 8]] = rng.normal(0.0, 1.5, (3, K)) / scale[[1, 4, 8], None]
        signal = (X - X.mean(axis=0)) @ truth
        if case.family == "multinomial":
            data["y"] = np.eye(K)[(signal + rng.gumbel(size=(N, K))).argmax(axis=1)]
        else:
            data["y"] = np.arange(K) + signal + rng.standard_normal((N, K))
    elif case.family == "binomial":
        data["y"] = (rng.random(N) < 1.0 / (1.0 + np.exp(-signal))).astype(float)
    elif case.family == "poisson":
        data["y"] = rng.poisson(np.exp(0.5 + 0.5 * signal)).astype(float)
    else:
        data["y"] = 2.0 + signal + rng.standard_normal(N)
    optional = {
        "weights": rng.uniform(0.2, 3.0, N),
        "offset": 0.5 * rng.standard_normal(data["y"].shape),
        "penalty_factor": np.array([0.0, 1.0, 2.0, 0.5] * (P // 4)),
        "lower": np.where(np.arange(P) % 2 == 0, 0.0, -0.25),
        "upper": np.where(np.arange(P) % 3 == 0, 0.1, np.inf),
    }
    return data | {name: optional[name] for name in case.uses}


def fit(case: Case, data: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, str]:
    """glmnet's coefficients (P x L) and intercepts (L,), and its version."""
    with tempfile.TemporaryDirectory() as folder:
        for name, values in data.items():
            values.ravel(order="F").tofile(Path(folder) / f"{name}.bin")
        switches = [str(N), str(P), case.family, repr(case.a), "yes" if case.intercept else "no"]
        switches += ["yes" if case.standardize else "no", "sparse" if case.sparse else "dense"]
        switches += ["grouped" if case.grouped else "ungrouped"]
        command = ["Rscript", str(HERE / "fit.R"), folder, *switches]
        version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        coefs, intercepts = (np.fromfile(Path(folder) / f"{name}.bin") for name in ("coefs", "intercepts"))
        if case.family in SEVERAL:
            coefs = coefs.reshape(P, -1, K, order="F").transpose(0, 2, 1)
            return coefs, intercepts.reshape(K, -1, order="F"), version
        return coefs.reshape(P, -1, order="F"), intercepts, version


def residual_and_scale(case: Case, data: dict, coefs: np.ndarray, intercepts: np.ndarray) -> tuple:
    """The weighted residuals -d loss / d eta, n x L, and the scales s_j of the columns."""
    w = data.get("weights", np.ones(N))
    w = w / w.sum()
    eta = data["X"] @ coefs + intercepts + data.get("offset", np.zeros(N))[:, None]
    mu = 1.0 / (1.0 + np.exp(-eta)) if case.family == "binomial" else eta
    mu = np.exp(eta) if case.family == "poisson" else mu
    mean = w @ data["X"]
    scale = np.sqrt(w @ (data["X"] - mean) ** 2) if case.standardize else np.ones(P)
    return w[:, None] * (data["y"][:, None] - mu), scale


def kkt_violation(case: Case, data: dict, alphas: np.ndarray, l1_ratio: float, fitted: tuple) -> float:
    """How far the one-sided derivatives are from the signs of a minimum, as a share of the first alpha."""
    u, scale = residual_and_scale(case, data, *fitted)
    coefs = fitted[0] * scale[:, None]
    penalty = data.get("penalty_factor", np.ones(P))[:, None] * alphas
    smooth = penalty * (1.0 - l1_ratio) * coefs - data["X"].T @ u / scale[:, None]
    upward = smooth + penalty * l1_ratio * np.where(coefs >= 0.0, 1.0, -1.0)
    downward = smooth + penalty * l1_ratio * np.where(coefs > 0.0, 1.0, -1.0)
    upward[fitted[0] >= data.get("upper", np.full(P, np.inf))[:, None]] = 0.0
    downward[fitted[0] <= data.get("lower", np.full(P, -np.inf))[:, None]] = 0.0
    worst = max(-upward.min(), downward.max())
    if case.intercept:
        worst = max(worst, np.abs(u.sum(axis=0)).max())
    return worst / alphas[0]


def several_residual(case: Case, data: dict, coefs: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
    """The weighted residuals -d loss / d eta, n x K x L."""
    w = data.get("weights", np.ones(N))
    eta = np.einsum("ij,jkl->ikl", data["X"], coefs) + intercepts
    eta = eta + data.get("offset", np.zeros((N, K)))[:, :, None]
    if case.family == "multinomial":
        share = np.exp(eta - eta.max(axis=1, keepdims=True))
        eta = share / share.sum(axis=1, keepdims=True)
    return (w / w.sum())[:, None, None] * (data["y"][:, :, None] - eta)


def several_violation(case: Case, data: dict, alphas: np.ndarray, fitted: tuple, scale: np.ndarray) -> float:
    """How far from optimal, as `kkt_violation` for one output."""
    u = several_residual(case, data, *fitted)
    coefs = fitted[0] * scale[:, None, None]
    pull = np.einsum("ij,ikl->jkl", data["X"], u) / scale[:, None, None] - alphas * (1.0 - case.a) * coefs
    size = np.linalg.norm(coefs, axis=1, keepdims=True) if case.grouped else np.abs(coefs)
    length = np.linalg.norm(pull, axis=1, keepdims=True) if case.grouped else np.abs(pull)
    direction = np.divide(coefs, size, out=np.zeros_like(coefs), where=size > 0.0)
    wrong = np.abs(pull - alphas * case.a * direction)
    wrong = np.where(size > 0.0, wrong, np.maximum(length - alphas * case.a, 0.0))
    return max(wrong.max(), np.abs(u.sum(axis=0)).max()) / alphas[0]


def make_several(case: Case, rng: np.random.Generator) -> None:
    """One path of several outputs."""
    data = simulate(case, rng)
    w = data.get("weights", np.ones(N))
    mean = np.average(data["X"], axis=0, weights=w)
    spread = np.sqrt(np.average((data["X"] - mean) ** 2, axis=0, weights=w))
    scale = spread if case.standardize else np.ones(P)
    start = data["y"] - np.average(data["y"], axis=0, weights=w)
    pull = (w / w.sum() * (data["X"] - mean).T) @ start / scale[:, None]
    largest = (np.linalg.norm(pull, axis=1) if case.grouped else np.abs(pull)).max() / case.a
    data["lambda"] = 0.7 * largest * np.geomspace(1.0, 0.02, N_ALPHAS)
    coefs, intercepts, version = fit(case, data)
    alphas = data.pop("lambda")
    if case.family == "multinomial":
        intercepts = intercepts - intercepts.mean(axis=0)
    violation = several_violation(case, data, alphas, (coefs, intercepts), scale)
    support = np.count_nonzero(coefs.any(axis=1), axis=0)
    print(f"{case.name:28s} support {support}  KKT {violation:.1e}  {version}")
    assert violation < 1e-6, case
    settings = {
        "loss": SEVERAL[case.family],
        "l1_ratio": case.a,
        "row_grouped": case.grouped,
        "standardize": case.standardize,
        "made_by": version,
    }
    stored = {"alphas": alphas, "coefs": coefs, "intercepts": intercepts, "settings": json.dumps(settings)}
    np.savez_compressed(HERE / "several_outputs" / f"{case.name}.npz", **data, **stored)


def main() -> None:
    for k, case in enumerate(CASES):
        rng = np.random.default_rng([2024, k])
        if case.family in SEVERAL:
            make_several(case, rng)
            continue
        data = simulate(case, rng)
        factor = data.get("penalty_factor", np.ones(P))
        link = {"gaussian": float, "binomial": lambda mean: 0.0, "poisson": np.log}[case.family]
        centre = np.full(1, link(data["y"].mean()))
        u, scale = residual_and_scale(case, data, np.zeros((P, 1)), centre)
        largest = np.abs(data["X"].T @ u / scale[:, None]).max() / max(case.a, 0.1)
        data["lambda"] = 0.7 * largest * np.geomspace(1.0, 0.02, N_ALPHAS)
        coefs, intercepts, version = fit(case, data)
        lambdas = data.pop("lambda")
        alphas, l1_ratio = lambdas * P / factor.sum(), case.a
        if case.family == "gaussian":
            w = data.get("weights", np.ones(N))
            target = data["y"] - data.get("offset", 0.0)
            spread = np.sqrt(np.average((target - np.average(target, weights=w)) ** 2, weights=w))
            mix = case.a + (1.0 - case.a) / spread
            alphas, l1_ratio = alphas * mix, case.a / mix
        violation = kkt_violation(case, data, alphas, l1_ratio, (coefs, intercepts))
        print(f"{case.name:28s} support {np.count_nonzero(coefs, axis=0)}  KKT {violation:.1e}  {version}")
        assert violation < 1e-6, case
        settings = {
            "loss": case.family,
            "l1_ratio": l1_ratio,
            "fit_intercept": case.intercept,
            "standardize": case.standardize,
            "sparse": case.sparse,
            "made_by": version,
        }
        stored = data | {
            "alphas": alphas,
            "coefs": coefs,
            "intercepts": intercepts,
            "settings": json.dumps(settings),
        }
        np.savez_compressed(HERE / f"{case.name}.npz", **stored)


if __name__ == "__main__":
    main()
