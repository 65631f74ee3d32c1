"""``riata select``: its files by schema and by value, what it refuses, and going on after Ctrl-C."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import read_tsv, run

import riata

DATA = Path(__file__).parents[2] / "data" / "genotypes"
STUDY = ["--bfile", DATA / "tiny", "--pheno", DATA / "tiny.phe", "--pheno-name", "height"]
VARIANT = ["CHROM", "POS", "ID", "EFFECT_ALLELE", "OTHER_ALLELE", "EAF"]
VOTES = ["BETA", "BETA_SD", "SIGN_AGREEMENT", "FREQ", "SIMULTANEOUS", "PFER"]


@pytest.fixture
def table(tmp_path):
    """A table of 80 samples x 30 genes, of which g3 and g4 matter for y and g5 for z."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((80, 30))
    y = X[:, 3] - X[:, 4] + 0.5 * rng.standard_normal(80)
    z = (X[:, 5] + 0.3 * rng.standard_normal(80) > 0).astype(int)
    family = np.repeat(np.arange(40), 2)
    head = ["id", *(f"g{j}" for j in range(30)), "y", "z", "family"]
    rows = [
        [f"s{i}", *(f"{v:.6f}" for v in X[i]), f"{y[i]:.6f}", str(z[i]), f"f{family[i]}"] for i in range(80)
    ]
    path = tmp_path / "table.tsv"
    path.write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    return path, X, y, z, family


def test_genotypes_by_schema_and_value(tmp_path, capsys):
    assert (
        run(
            "select",
            *STUDY,
            "--ld-groups",
            "none",
            "--pairs",
            10,
            "--q",
            3,
            "--p-values",
            "--out",
            tmp_path / "o",
        )
        == 0
    )
    told = capsys.readouterr().out
    study = riata.open_genotypes(str(DATA / "tiny"))
    pheno = {row.split()[1]: row.split() for row in (DATA / "tiny.phe").read_text().splitlines()}
    column = pheno["IID"].index("height")
    cells = [pheno[iid][column] if iid in pheno else "NA" for iid in study.samples["iid"]]
    y = np.array([np.nan if cell in ("NA", "-9") else float(cell) for cell in cells])
    rows = np.flatnonzero(np.isfinite(y))
    found = riata.stability_selection(study.subset(samples=rows), y[rows], n_pairs=10, q=3, p_values=True)

    written = read_tsv(tmp_path / "o.frequencies.tsv")
    assert list(written) == [*VARIANT, *VOTES, "P_VALUE", "SELECTED"]
    assert [float(f) for f in written["FREQ"]] == found.frequency[found.ranked].tolist()
    assert written["ID"] == [str(study.variants.id[int(j)]) for j in found.ranked]
    assert np.allclose([float(b) for b in written["BETA"]], found.coef_mean[found.ranked])
    assert np.allclose([float(p) for p in written["P_VALUE"]], found.p_values[found.ranked])
    items = json.loads((tmp_path / "o.json").read_text())["selection"]["items"]
    assert items == 60 - len(read_tsv(tmp_path / "o.excluded.tsv")["ID"])
    at = [riata.pfer_bound(3, items, f, 10) for f in found.frequency[found.ranked]]
    assert np.allclose([float(p) for p in written["PFER"]], np.minimum(at, items))
    selected = read_tsv(tmp_path / "o.selected.tsv")
    assert list(selected) == [*VARIANT, *VOTES, "P_VALUE"]
    kept = [s == "yes" for s in written["SELECTED"]]
    assert selected["ID"] == [i for i, k in zip(written["ID"], kept, strict=True) if k]
    assert len(selected["ID"]) == len(found.selected)

    record = json.loads((tmp_path / "o.json").read_text())
    assert record["selection"]["seed"] == 0
    assert record["selection"]["q"] == 3
    assert record["selection"]["pfer"] == riata.pfer_bound(3, items, 0.75, 10)
    assert record["rows"]["selected.tsv"] == len(found.selected)
    assert record["response"]["name"] == "height"
    back = riata.load(tmp_path / "o.selection.npz")
    assert back.frequency.tolist() == found.frequency.tolist()
    assert back.variants is not None
    assert f"Selected: {len(found.selected)} variant" in told
    page = (tmp_path / "o.html").read_text()
    assert "Which errors to expect" in page
    assert "family-wise" in told


def test_table_with_covariates_blocks_and_classes(tmp_path, table):
    path, X, y, z, family = table
    assert run(
        "select", "--matrix", path, "--target", "z", "--loss", "binomial", "--covar", "y",
        "--blocks", "family", "--pairs", 6, "--pfer", 0.5, "--seed", 3, "--quiet", "--out", tmp_path / "o",
    ) == 0  # fmt: skip
    design = np.asfortranarray(np.column_stack([X.round(6), y.round(6)]))
    found = riata.stability_selection(
        design, z, loss="binomial", penalty_factor=np.repeat([1.0, 0.0], [30, 1]), n_pairs=6, pfer=0.5,
        blocks=[f"f{k}" for k in family], random_state=3,
    )  # fmt: skip
    written = read_tsv(tmp_path / "o.frequencies.tsv")
    assert list(written) == ["FEATURE", *VOTES, "SELECTED"]
    assert written["FEATURE"] == [f"g{j}" for j in found.ranked]
    assert np.allclose([float(f) for f in written["FREQ"]], found.frequency[found.ranked])
    assert written["FEATURE"][0] == "g5"
    record = json.loads((tmp_path / "o.json").read_text())["selection"]
    assert record["blocks"] == "family"
    assert record["items"] == 30


def test_groups(tmp_path, table):
    path, X, y, *_ = table
    groups = tmp_path / "sets.tsv"
    groups.write_text("gene\tset\n" + "".join(f"g{j}\tG{j // 3}\n" for j in range(27)))
    asked = ["--matrix", path, "--target", "y", "--drop", "z,family", "--groups", groups]
    assert run("select", *asked, "--pairs", 6, "--q", 3, "--out", tmp_path / "o") == 0
    labels = [f"G{j // 3}" if j < 27 else f"g{j}" for j in range(30)]
    found = riata.stability_selection(X.round(6), y.round(6), groups=labels, n_pairs=6, q=3)
    written = read_tsv(tmp_path / "o.selected.tsv")
    assert list(written) == ["GROUP", "N_FEATURES", "FEATURE", *VOTES]
    assert written["GROUP"][0] == "G1"
    assert written["N_FEATURES"][0] == "3"
    assert set(written["GROUP"]) == {str(found.group_names[k]) for k in found.selected}
    members = read_tsv(tmp_path / "o.groups.tsv")
    assert list(members) == ["GROUP", "FEATURE", "FREQ", "LEAD"]
    mine = [f for g, f in zip(members["GROUP"], members["FEATURE"], strict=True) if g == "G1"]
    assert mine == ["g3", "g4", "g5"]


def test_ld_groups(tmp_path, capsys):
    riata.simulate_genotypes(tmp_path / "g", 200, 300, n_causal=3, h2=0.8, seed=2)
    asked = ["select", "--bfile", tmp_path / "g", "--pairs", 10, "--q", 4]
    assert run(*asked, "--ld-groups", 0.3, "--out", tmp_path / "o") == 0
    study = riata.open_genotypes(tmp_path / "g")
    groups = riata.ld_groups(study, r2=0.3)
    y = np.array([float(v) for v in study.samples["phenotype"]])
    found = riata.stability_selection(study, y, groups=groups, n_pairs=10, q=4)
    assert f"{len(groups)} groups in linkage disequilibrium, r2 0.3" in capsys.readouterr().out
    written = read_tsv(tmp_path / "o.frequencies.tsv")
    assert list(written) == ["GROUP", "FROM", "TO", "N_VARIANTS", *VARIANT, *VOTES, "SELECTED"]
    assert written["GROUP"] == [groups.names[k] for k in found.ranked]
    assert [float(f) for f in written["FREQ"]] == found.frequency[found.ranked].tolist()
    first = groups[written["GROUP"][0]]
    assert int(written["N_VARIANTS"][0]) == len(first)
    assert int(written["FROM"][0]) == study.variants.pos[first].min()
    assert int(written["TO"][0]) == study.variants.pos[first].max()
    assert json.loads((tmp_path / "o.json").read_text())["selection"]["ld_groups"] == 0.3
    assert "linkage disequilibrium (mean r2 of at least 0.3)" in (tmp_path / "o.html").read_text()
    # By default variants are grouped at 0.5.
    assert run(*asked, "--out", tmp_path / "d") == 0
    assert json.loads((tmp_path / "d.json").read_text())["selection"]["ld_groups"] == 0.5


def test_several_phenotypes(tmp_path, table):
    path, *_ = table
    both = ["--matrix", path, "--drop", "family", "--pairs", 5]
    assert run("select", *both, "--target", "y,z", "--loss", "gaussian", "--out", tmp_path / "o") == 0
    assert read_tsv(tmp_path / "o.y.selected.tsv")["FEATURE"][:2] == ["g4", "g3"]
    assert read_tsv(tmp_path / "o.z.selected.tsv")["FEATURE"][0] == "g5"
    assert not (tmp_path / "o.y.checkpoint").exists()


def test_config_repeats_a_run(tmp_path, table, capsys):
    path, *_ = table
    asked = ["--matrix", path, "--target", "y", "--drop", "z,family", "--pairs", 5, "--q", 4]
    assert run("select", *asked, "--out", tmp_path / "a") == 0
    capsys.readouterr()
    assert run("config", tmp_path / "a") == 0
    config = tmp_path / "run.toml"
    config.write_text(capsys.readouterr().out)
    assert run("select", "--config", config, "--out", tmp_path / "b") == 0
    assert (tmp_path / "a.frequencies.tsv").read_text() == (tmp_path / "b.frequencies.tsv").read_text()


def test_resume(tmp_path, table, monkeypatch, capsys):
    """A run that Ctrl-C ends after the first batch writes its pairs, and goes on to the result of one run."""
    from riata.cli import halving

    path, *_ = table
    asked = ["select", "--matrix", path, "--target", "y", "--drop", "z,family", "--pairs", 22, "--q", 4]
    assert run(*asked, "--out", tmp_path / "whole") == 0

    class Impatient(halving.Progress):
        def __call__(self, done, *rest):
            self.interrupted = done >= 10
            return not self.interrupted

    with monkeypatch.context() as patch:
        patch.setattr(halving, "Progress", Impatient)
        assert run(*asked, "--out", tmp_path / "o") == 130
    assert "--resume goes on with them" in capsys.readouterr().err
    assert json.loads((tmp_path / "o.json").read_text())["selection"]["halves"] == 20
    assert "interrupted after 10 pairs" in (tmp_path / "o.html").read_text()
    assert run(*asked, "--out", tmp_path / "o") == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert run(*asked, "--resume", "--out", tmp_path / "o") == 0
    assert "Resuming after 10 of 22 pairs" in capsys.readouterr().out
    for suffix in ("selected.tsv", "frequencies.tsv"):
        assert (tmp_path / f"o.{suffix}").read_text() == (tmp_path / f"whole.{suffix}").read_text()
    assert not (tmp_path / "o.checkpoint").exists()


def test_nothing_selected(tmp_path, table, capsys):
    path, *_ = table
    asked = ["--matrix", path, "--target", "z", "--loss", "binomial", "--drop", "y,family", "--pairs", 5]
    assert run("select", *asked, "--threshold", 1, "--pfer", 1e-6, "--out", tmp_path / "o") == 2
    assert "pfer must be at least" in capsys.readouterr().err
    rng = np.random.default_rng(0)
    noise = tmp_path / "noise.tsv"
    lines = ["\t".join(f"{v:.4f}" for v in row) for row in rng.standard_normal((40, 60))]
    noise.write_text("\t".join([*(f"x{j}" for j in range(59)), "y"]) + "\n" + "\n".join(lines) + "\n")
    assert run("select", "--matrix", noise, "--target", "y", "--threshold", 1, "--out", tmp_path / "n") == 0
    told = capsys.readouterr().out
    assert "Selected: 0 features" in told
    assert "What would change that: a larger --pfer" in told
    assert (tmp_path / "n.selected.tsv").read_text().startswith("FEATURE\tBETA")
    assert "Nothing was selected" in (tmp_path / "n.html").read_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--pfer", 1, "--q", 3, "--threshold", 0.9], "give at most two of --pfer, --threshold and --q"),
        (
            ["--loss", "huber", "--p-values"],
            "--p-values needs a loss with a likelihood, which huber does not have",
        ),
        (["--p-values", "--stop-early"], "--p-values are of all pairs of halves"),
        (["--ld-groups", 0.5], "--ld-groups is for genotypes, not for --matrix"),
        (["--l1-ratio", 0], "--l1-ratio must be above 0"),
        (["--bound", "worst", "--threshold", 0.5], "threshold must be above 1/2"),
        (["--blocks", "clan"], "--blocks: no column 'clan'"),
        (["--alpha", 0.1], "riata select has no option --alpha"),
    ],
)
def test_bad_options(tmp_path, table, capsys, given, message):
    path, *_ = table
    asked = ["--matrix", path, "--target", "y", "--drop", "z"]
    assert run("select", *asked, *given, "--out", tmp_path / "o") == 2
    assert message in capsys.readouterr().err
