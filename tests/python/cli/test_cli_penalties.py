"""Penalties and groups of features on the command line."""

import gzip
import json
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from commands import read_tsv, run
from numpy.testing import assert_allclose

import riata
from riata.study.feature_sets import find_groups, read_sets

DATA = Path(__file__).parents[2] / "data" / "genotypes"
STUDY = ["--bfile", DATA / "tiny", "--pheno", DATA / "tiny.phe", "--pheno-name", "height"]
COVAR = DATA / "tiny.cov"


def variants():
    return [line.split()[1] for line in (DATA / "tiny.bim").read_text().splitlines()]


@pytest.fixture
def genes(tmp_path):
    """Variants by gene, three in a row; the last six are in none."""
    path = tmp_path / "genes.tsv"
    ids = variants()[:-6]
    lines = [f"{name}\tG{j // 3}\n" for j, name in enumerate(ids)]
    path.write_text("variant\tgene\n" + "".join(lines) + "rs_elsewhere\tFAR\n")
    return path


@pytest.fixture
def table(tmp_path):
    """A table of 60 samples x 20 genes, one of them constant, of which g3 and g4 matter."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((60, 20))
    X[:, 9] = 1.0
    y = X[:, 3] - X[:, 4] + 0.3 * rng.standard_normal(60)
    header = ["sample", *(f"g{j}" for j in range(20)), "y"]
    rows = [[f"s{i}", *(repr(float(v)) for v in X[i]), repr(float(y[i]))] for i in range(60)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    return path


@pytest.fixture
def sets(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("A\tfirst\tg0\tg1\tg2\nB\tsecond\tg3\tg4\tg9\tg_absent\nC\tnone\tg_other\n")
    return path


def test_variants_in_genes(tmp_path, genes, capsys):
    out = tmp_path / "height"
    options = ["--covar", COVAR, "--penalty", "group", "--groups", genes, "--alphas", 20, "--eps", 0.2]
    assert run("fit", *STUDY, *options, "--out", out) == 0
    told = capsys.readouterr().out
    assert "6 variants in no group: each is a group of its own" in told
    assert "groups without variants here: 1 (FAR)" in told
    assert "group lasso linear regression" in told
    hits, groups = read_tsv(f"{out}.hits.tsv"), read_tsv(f"{out}.groups.tsv")
    assert list(groups) == ["GROUP", "SIZE", "NONZERO", "NORM_STD", "ENTRY_ALPHA", "RANK"]
    assert groups["RANK"] == [str(k + 1) for k in range(len(groups["RANK"]))]
    of = {name: f"G{j // 3}" for j, name in enumerate(variants()[:-6])}
    assert hits["GROUP"] == [of.get(name, name) for name in hits["ID"]]
    assert set(groups["GROUP"]) == set(hits["GROUP"])
    for k, name in enumerate(groups["GROUP"]):
        mine = [j for j, other in enumerate(hits["GROUP"]) if other == name]
        assert int(groups["NONZERO"][k]) == len(mine) == int(groups["SIZE"][k])  # groups enter whole
        norm = np.linalg.norm([float(hits["BETA_STD"][j]) for j in mine])
        assert_allclose(float(groups["NORM_STD"][k]), norm, rtol=1e-8)
        assert float(groups["ENTRY_ALPHA"][k]) == max(float(hits["ENTRY_ALPHA"][j]) for j in mine)
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["fit"]["penalty"] == "group"
    assert record["fit"]["penalty_parameters"] == {"weights": "sqrt_size", "l2_ratio": 0.0}
    assert record["features"]["groups"]["alone"] == 6
    assert record["features"]["groups"]["absent"] == ["FAR"]
    hashed = {item["path"]: item["sha256"] for item in record["inputs"]}
    assert len(hashed[str(genes)]) == 64
    assert record["rows"]["groups.tsv"] == len(groups["GROUP"])
    page = Path(f"{out}.html").read_text()
    assert "Which groups were selected" in page
    assert "relative duality gap" in page
    assert [name for name, value in record["selected"]["covariates"].items() if value == 0.0] == []
    assert run("report", "--model", f"{out}.path.npz", "--out", tmp_path / "again") == 0
    assert (tmp_path / "again.groups.tsv").read_text() == Path(f"{out}.groups.tsv").read_text()
    assert (tmp_path / "again.hits.tsv").read_text() == Path(f"{out}.hits.tsv").read_text()
    assert run("info", f"{out}.path.npz") == 0
    assert "group lasso" in capsys.readouterr().out
    assert (
        run("predict", "--model", f"{out}.path.npz", "--bfile", DATA / "tiny", "--covar", COVAR, "--out", out)
        == 0
    )


def test_gene_sets_of_a_table(tmp_path, table, sets, capsys):
    out = tmp_path / "y"
    options = ["--penalty", "sparse-group", "--groups", sets, "--l1-ratio", 0.3, "--alphas", 20]
    assert (
        run("cv", "--matrix", table, "--target", "y", *options, "--cv", 4, "--select", "1se", "--out", out)
        == 0
    )
    told = capsys.readouterr().out
    assert "2 groups of 3 features from" in told
    assert "14 features in no group" in told
    assert "sparse group lasso linear regression" in told
    groups = read_tsv(f"{out}.groups.tsv")
    at = groups["GROUP"].index("B")
    assert (groups["SIZE"][at], groups["NONZERO"][at]) == ("2", "2")  # the constant one was set aside
    path = riata.load(f"{out}.path.npz").path
    assert path.penalty_parameters["l1_ratio"] == 0.3
    X = np.loadtxt(table, delimiter=",", skiprows=1, usecols=range(1, 22))
    groups = {"A": [0, 1, 2], "B": [3, 4, 9]}
    again = riata.fit_path(
        X[:, :20], X[:, 20], penalty=riata.penalties.SparseGroupLasso(groups, l1_ratio=0.3),
        exclude=[9], alphas=path.alphas,
    )  # fmt: skip
    assert_allclose(path.coefs.toarray(), again.coefs.toarray(), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "name", "parameters"),
    [
        (["--penalty", "mcp", "--gamma", "4"], "MCP", {"gamma": 4.0}),
        (["--penalty", "scad"], "SCAD", {"gamma": 3.7}),
        (["--penalty", "slope", "--slope-q", "0.2"], "SLOPE", {"q": 0.2}),
    ],
)
def test_penalties_of_single_features(tmp_path, table, capsys, options, name, parameters):
    out = tmp_path / "y"
    assert (
        run("cv", "--matrix", table, "--target", "y", *options, "--alphas", 15, "--cv", 4, "--out", out) == 0
    )
    told = capsys.readouterr().out
    record = json.loads(Path(f"{out}.json").read_text())
    page = Path(f"{out}.html").read_text()
    assert f"{name} linear regression" in told
    assert f"{name} linear regression" in page
    assert record["fit"]["penalty_parameters"] == parameters
    assert not Path(f"{out}.groups.tsv").exists()
    assert "GROUP" not in read_tsv(f"{out}.hits.tsv")
    if name == "SLOPE":
        assert record["fit"]["certificate"] == "duality_gap"
        assert record["fit"]["largest_gap"] <= 1e-6
        assert "relative duality gap" in told
        return
    assert record["fit"]["certificate"] == "kkt"
    assert record["fit"]["largest_kkt"] <= 1e-6
    assert "largest_gap" not in record["fit"]
    for text in (told, page):
        assert "duality gap" not in text
        assert "KKT violation over alpha" in text
        assert "shrunk towards zero" not in text
    assert "convex in the active features" in told
    run("info", f"{out}.path.npz")
    assert f"{name}, gamma {parameters['gamma']:g}" in capsys.readouterr().out


def test_verbose_lines_name_the_certificate(tmp_path, table, capsys):
    out = tmp_path / "y"
    run(
        "fit",
        "--matrix",
        table,
        "--target",
        "y",
        "--penalty",
        "mcp",
        "--alphas",
        5,
        "--verbose",
        "--out",
        out,
    )
    lines = [line for line in capsys.readouterr().err.splitlines() if "/5" in line]
    assert lines
    assert all(" KKT " in line and " gap " not in line for line in lines)


def test_several_phenotypes(tmp_path, genes, capsys):
    out = tmp_path / "body"
    study = [*STUDY[:-1], "disease,code"]
    options = ["--loss", "binomial", "--penalty", "group", "--groups", genes, "--alphas", 8, "--eps", 0.3]
    assert run("fit", *study, *options, "--out", out) == 0
    assert "group lasso logistic regression of 2 phenotypes together" in capsys.readouterr().out
    for name in study[-1].split(","):
        assert read_tsv(f"{out}.{name}.groups.tsv")["GROUP"]
        record = json.loads(Path(f"{out}.{name}.json").read_text())
        assert str(genes) in [item["path"] for item in record["inputs"]]


@pytest.mark.parametrize("verb", ["fit", "cv"])
def test_groups_in_linkage_disequilibrium(tmp_path, capsys, verb):
    riata.simulate_genotypes(tmp_path / "g", 120, 200, n_causal=3, h2=0.8, seed=2)
    study = riata.open_genotypes(tmp_path / "g")
    groups = riata.ld_groups(study, r2=0.3)
    asked = [verb, "--bfile", tmp_path / "g", "--penalty", "group", "--alphas", 8, "--eps", 0.3]
    assert run(*asked, "--ld-groups", 0.3, "--out", tmp_path / "o") == 0
    assert f"{len(groups)} groups of" in (told := capsys.readouterr().out)
    assert "from linkage disequilibrium (mean r2 of at least 0.3)" in told
    y = np.array([float(v) for v in study.samples["phenotype"]])
    path = riata.load(tmp_path / "o.path.npz")
    alone = riata.fit_path(study, y, penalty=riata.penalties.GroupLasso(groups), alphas=8, eps=0.3)
    assert np.allclose(path.path.coefs.toarray(), alone.coefs.toarray())
    assert set(read_tsv(tmp_path / "o.groups.tsv")["GROUP"]) <= set(groups)
    assert read_tsv(tmp_path / "o.sets.tsv")["GROUP"] == list(groups)
    assert run("config", tmp_path / "o") == 0
    assert "ld-groups = 0.3" in capsys.readouterr().out


ERRORS = {
    "groups alone": (["--groups", "x.gmt"], "--groups needs --penalty group or --penalty sparse-group, not"),
    "no groups": (["--penalty", "group"], "--penalty group needs --groups FILE"),
    "ld groups alone": (
        ["--ld-groups", "0.5"],
        "--ld-groups needs --penalty group or --penalty sparse",
    ),
    "ld groups of a table": (["--penalty", "group", "--ld-groups", "0.5"], "--ld-groups is for genotypes"),
    "no ld groups": (["--penalty", "group", "--ld-groups", "none"], "--penalty group needs --groups FILE"),
    "only sets": (["--sets-only"], "--sets-only needs --groups FILE"),
    "sizes alone": (["--min-set-size", 15], "--min-set-size needs --groups FILE"),
    "no size": (
        ["--penalty", "group", "--groups", "x.gmt", "--min-set-size", 15, "--max-set-size", 10],
        "--max-set-size must be at least --min-set-size 15, got 10",
    ),
    "gamma alone": (["--gamma", "3"], "--gamma needs --penalty mcp or --penalty scad, not elastic-net"),
    "gamma of mcp": (
        ["--penalty", "mcp", "--gamma", "1"],
        "--gamma must be above 1 for --penalty mcp, got 1",
    ),
    "gamma of scad": (["--penalty", "scad", "--gamma", "2"], "--gamma must be above 2 for --penalty scad"),
    "q alone": (["--slope-q", "0.1"], "--slope-q needs --penalty slope, not elastic-net"),
    "q": (["--penalty", "slope", "--slope-q", "1"], "--slope-q: must lie between 0 and 1, got 1"),
    "l1 ratio": (
        ["--penalty", "mcp", "--l1-ratio", "1"],
        "--l1-ratio needs --penalty elastic-net or --penalty",
    ),
    "active set": (
        ["--penalty", "slope", "--solver", "active-set"],
        "--penalty slope needs --solver auto, cd or",
    ),
    "classes": (["--penalty", "mcp", "--loss", "multinomial"], "--penalty mcp is not for --loss multinomial"),
    "synonym": (["--penalty", "lasso"], "invalid choice 'lasso'; did you mean elastic-net?"),
    "mistyped": (["--penalty", "spare-group"], "invalid choice 'spare-group'; did you mean sparse-group?"),
    "no file": (["--penalty", "group", "--groups", "absent.gmt"], "absent.gmt: no such file"),
}


def test_gene_sets_that_overlap(tmp_path, table, capsys):
    """Effects are sums of parts: tables hold those of each set, and add up."""
    sets = tmp_path / "sets.gmt"
    sets.write_text(
        "A\t-\tg3\tg4\tg5\nB\t-\tg3\tg3\tg9\tg_absent\nWIDE\t-\tg0\tg1\tg2\tg3\tg4\tg6\nC\t-\tg_other\nD\t-\tg7\n"
    )
    out = tmp_path / "y"
    options = ["--penalty", "group", "--groups", sets, "--min-set-size", 2, "--alphas", 12, "--eps", 0.02]
    assert run("fit", "--matrix", table, "--target", "y", *options, "--out", out) == 0
    told = capsys.readouterr().out
    for line in (
        f"3 groups of 2 to 6 features from {sets}",
        "2 features in several groups: effects are sums of a part for each",
        "12 features in no group: each is a group of its own",
        f"of the 11 features in {sets} 9 are here",
        "1 listed again in the same group: counted once",
        "groups without features here: 1 (C)",
        "groups of fewer than 2 features here, left out: 1 (D)",
        f"what each group lists and has here is in {out}.sets.tsv",
    ):
        assert f"  {line}\n" in told
    assert read_tsv(f"{out}.sets.tsv") == {
        "GROUP": ["A", "B", "WIDE", "C", "D"],
        "LISTED": ["3", "3", "6", "1", "1"],
        "FOUND": ["3", "2", "6", "0", "1"],
        "USED": ["yes", "yes", "yes", "no", "no"],
    }
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["features"]["groups"]["members"] == {"listed": 11, "found": 9, "repeated": 1}
    assert record["rows"]["sets.tsv"] == 5
    path, alpha = riata.load(f"{out}.path.npz"), record["selected"]["alpha"]
    groups, hits = read_tsv(f"{out}.groups.tsv"), read_tsv(f"{out}.hits.tsv")
    X = np.loadtxt(table, delimiter=",", skiprows=1, usecols=range(1, 21))
    spread = X.std(axis=0)
    parts = {name: path.group_coef(name, alpha)[:20] for name in groups["GROUP"]}
    assert_allclose(sum(parts.values()), path.coef(alpha), atol=1e-14)
    for name, norm in zip(groups["GROUP"], groups["NORM_STD"], strict=True):
        assert_allclose(float(norm), np.linalg.norm(parts[name] * spread), rtol=1e-8)
    for feature, names, beta in zip(hits["FEATURE"], hits["GROUP"], hits["BETA"], strict=True):
        j = int(feature[1:])
        assert set(names.split(";")) == {name for name, part in parts.items() if part[j] != 0.0}
        assert_allclose(float(beta), sum(part[j] for part in parts.values()), rtol=1e-8)
    assert any(";" in names for names in hits["GROUP"])
    assert "Groups overlap: these are a group's parts" in unescape(Path(f"{out}.html").read_text())
    assert run("report", "--model", f"{out}.path.npz", "--out", tmp_path / "again") == 0
    for name in ("groups.tsv", "hits.tsv"):
        assert (tmp_path / f"again.{name}").read_text() == Path(f"{out}.{name}").read_text()
    assert run("predict", "--model", f"{out}.path.npz", "--matrix", table, "--out", tmp_path / "new") == 0


def test_features_in_no_set_may_be_left_out(tmp_path, table, sets, capsys):
    out = tmp_path / "y"
    options = ["--penalty", "group", "--groups", sets, "--sets-only", "--alphas", 12, "--eps", 0.02]
    assert run("fit", "--matrix", table, "--target", "y", *options, "--out", out) == 0
    told = capsys.readouterr().out
    assert "  14 set aside: in no group\n" in told
    assert "a group of its own" not in told
    assert set(read_tsv(f"{out}.hits.tsv")["GROUP"]) <= {"A", "B"}
    aside = read_tsv(f"{out}.excluded.tsv")
    assert sorted(aside["REASON"]) == ["constant", *["in no group"] * 14]


def test_gene_sets_of_several_classes(tmp_path, table, sets, capsys):
    rows = [line.split(",") for line in table.read_text().splitlines()]
    kind = [["low", "mid", "high"][int(np.digitize(float(row[-1]), [-0.7, 0.7]))] for row in rows[1:]]
    labelled = tmp_path / "classes.csv"
    lines = [
        [*rows[0][:-1], "kind"],
        *([*row[:-1], label] for row, label in zip(rows[1:], kind, strict=True)),
    ]
    labelled.write_text("\n".join(",".join(line) for line in lines) + "\n")
    out = tmp_path / "k"
    options = ["--penalty", "group", "--groups", sets, "--loss", "multinomial", "--alphas", 10, "--eps", 0.2]
    assert run("fit", "--matrix", labelled, "--target", "kind", *options, "--out", out) == 0
    capsys.readouterr()
    groups, hits = read_tsv(f"{out}.groups.tsv"), read_tsv(f"{out}.hits.tsv")
    at = groups["GROUP"].index("B")
    assert groups["NONZERO"][at] == "2"
    path = riata.load(f"{out}.path.npz")
    alpha = json.loads(Path(f"{out}.json").read_text())["selected"]["alpha"]
    X = np.loadtxt(table, delimiter=",", skiprows=1, usecols=range(1, 21))
    part = path.group_coef("B", alpha)[:20] * X.std(axis=0)[:, None]
    assert_allclose(float(groups["NORM_STD"][at]), np.linalg.norm(part), rtol=1e-8)
    assert {name for name, group in zip(hits["FEATURE"], hits["GROUP"], strict=True) if group == "B"} == {
        "g3",
        "g4",
    }


@pytest.mark.parametrize("case", ERRORS)
def test_one_line_errors(tmp_path, table, capsys, case):
    options, message = ERRORS[case]
    out = tmp_path / "results" / "y"
    assert run("fit", "--matrix", table, "--target", "y", *options, "--out", out) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.parent.exists()


FILES = {
    "nothing found": ("s.gmt", "A\tx\tTP53\tMYC\n", "none of its 2 features is among the 21 features"),
    "short set": ("s.gmt", "A\tg0\n", "line 1: expected a gene set: name, description and genes, with tabs"),
    "repeated set": ("s.gmt", "A\tx\tg0\nA\tx\tg1\n", "line 2: gene set A stands in an earlier line"),
    "sets as columns": (
        "s.txt",
        "A\tx\tg0\tg1\n",
        "line 1: expected a feature and its group, got 4 columns; gene",
    ),
    "empty": ("s.tsv", "\n\n", "no groups in it"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_of_groups_that_are_refused(tmp_path, case):
    name, text, message = FILES[case]
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        find_groups(path, [*(f"g{j}" for j in range(20)), "y"], "features")
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("name", ["s.gmt", "s.gmt.gz", "s.tsv", "s.csv", "s.txt"])
def test_files_of_groups(tmp_path, name):
    path = tmp_path / name
    mark = {"csv": ",", "txt": " "}.get(name.split(".")[-1], "\t")
    text = "A\tx\tg2\tg0\nB\tx\tg1\tnot_here\n"
    if "gmt" not in name:
        rows = [("feature", "group"), ("g2", "A"), ("g0", "A"), ("g1", "B"), ("not_here", "B")]
        text = "".join(f"{mark.join(row)}\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    found = find_groups(path, ["g0", "g1", "g2", "g3"], "features")
    assert {label: rows.tolist() for label, rows in found.members.items()} == {"A": [0, 2], "B": [1]}
    assert (found.absent, found.n_alone) == ([], 1)
    sets = read_sets(path)
    names = list(sets.numbers)
    assert [names[k] for k in sets.members["A"]] == ["g2", "g0"]


def test_counts_of_members_found_and_not(tmp_path):
    path = tmp_path / "s.gmt"
    path.write_text("A\tx\tg0\tfar\tg0\nB\tx\tg1\tfar\tg0\tg2\nEMPTY\tx\tfar\taway\n")
    found = find_groups(path, ["g0", "g1", "g0", "g2", "g3"], "variants")
    assert {label: rows.tolist() for label, rows in found.items()} == {"A": [0, 2], "B": [0, 1, 2, 3]}
    assert found.absent == ["EMPTY"]
    assert found.lines("variants") == [
        f"2 groups of 2 to 4 variants from {path}",
        "2 variants in several groups: effects are sums of a part for each",
        "1 variant in no group: each is a group of its own",
        f"of the 5 variants in {path} 3 are here",
        "1 listed again in the same group: counted once",
        "groups without variants here: 1 (EMPTY)",
    ]
    table = {name: values.tolist() for name, values in found.columns}
    assert table == {
        "GROUP": ["A", "B", "EMPTY"],
        "LISTED": [2, 4, 2],
        "FOUND": [2, 4, 0],
        "USED": ["yes", "yes", "no"],
    }


def test_gene_sets_from_a_mapping():
    sets = {"A": ["g2", "far", "g0"], "B": {"g1"}, 3: ("g1", "g2")}
    found = riata.read_gene_sets(sets, ["g0", "g1", "g2"])
    assert {name: rows.tolist() for name, rows in found.items()} == {"A": [0, 2], "B": [1], "3": [1, 2]}
    assert found.listed.tolist() == [3, 1, 2]
    assert "of the 4 features in the sets given 3 are here" in found.lines()
    assert riata.read_gene_sets({"head": ["far"], "B": ["g1"]}, ["g1"]).absent == ["head"]
    with pytest.raises(TypeError, match=r"sets\['A'\] must hold names of features, got the text 'g2'"):
        riata.read_gene_sets({"A": "g2"}, ["g2"])
    with pytest.raises(ValueError, match="sets must hold at least one set, got none"):
        riata.read_gene_sets({}, ["g2"])


def test_sizes_of_groups_that_are_used(tmp_path):
    path = tmp_path / "s.gmt"
    path.write_text("A\tx\tg0\tfar\nB\tx\tg1\tg0\nC\tx\tg0\tg1\tg2\nD\tx\tfar\n")
    names = ["g0", "g1", "g2", "g3"]
    found = riata.read_gene_sets(path, names, min_size=2, max_size=2)
    assert list(found) == ["B"]
    assert (found.absent, found.too_small, found.too_large) == (["D"], ["A"], ["C"])
    assert (found.n_alone, found.n_shared) == (2, 0)
    assert "groups of fewer than 2 features here, left out: 1 (A)" in found.lines("features")
    assert "groups of more than 2 features here, left out: 1 (C)" in found.lines("features")
    with pytest.raises(ValueError, match="no group has 4 features here: they have 0 to 3"):
        riata.read_gene_sets(path, names, min_size=4)
    with pytest.raises(ValueError, match="max_size must be >= 3, got 2"):
        riata.read_gene_sets(path, names, min_size=3, max_size=2)


def test_unilasso_of_variants(tmp_path, capsys):
    """Signs are those of each variant alone."""
    out = tmp_path / "height"
    options = ["--penalty", "unilasso", "--covar", COVAR, "--alphas", 20, "--cv", 3]
    assert run("cv", *STUDY, *options, "--out", out) == 0
    told = capsys.readouterr().out
    assert "uniLasso linear regression" in told
    assert "the univariate-guided lasso (uniLasso, Chatterjee, Hastie & Tibshirani 2025)" in " ".join(
        told.split()
    )
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["fit"]["penalty_parameters"] == {"slopes": "fitted", "newton_steps": 2.0}
    assert record["fit"]["standardize"] is False
    path = riata.load(f"{out}.path.npz").path
    geno = riata.open_genotypes(DATA / "tiny")
    coefs = path.coefs.toarray()[: geno.shape[1]]
    assert coefs.any()
    for name in ("hits.tsv", "score", "weights.tsv"):
        assert Path(f"{out}.{name}").exists()
    assert (
        run("predict", "--model", f"{out}.path.npz", "--bfile", DATA / "tiny", "--covar", COVAR, "--out", out)
        == 0
    )


def association(path, flip=()):
    """Association results of the tiny genotypes with slopes made up, some variants from the other side."""
    lines = ["ID\tA1\tOTHER_ALLELE\tBETA"]
    slopes = {}
    for j, line in enumerate((DATA / "tiny.bim").read_text().splitlines()):
        _, name, _, _, a1, a2 = line.split()
        if j % 5 == 0:
            continue
        slope = ((j * 7) % 11 - 5) / 10
        slopes[name] = slope
        told = (a2, a1, -slope) if j in flip else (a1, a2, slope)
        lines.append("\t".join([name, *map(str, told)]))
    path.write_text("\n".join(lines) + "\n")
    return slopes


def test_unilasso_with_an_association_study(tmp_path, capsys):
    """By definition: factors 1 / |slope| and signs of the slopes, alleles matched."""
    file, out = tmp_path / "gwas.tsv", tmp_path / "height"
    slopes = association(file, flip=(3, 8))
    options = ["--penalty", "unilasso", "--univariate", file, "--alphas", 12, "--tol", "1e-10"]
    assert run("fit", *STUDY, *options, "--out", out) == 0
    told = capsys.readouterr().out
    assert "with a slope in" in told
    assert "the other way round" in told
    assert "than its feature alone in other samples" in " ".join(told.split())
    path = riata.load(f"{out}.path.npz").path
    geno = riata.open_genotypes(DATA / "tiny")
    samples = [line.split() for line in (DATA / "tiny.phe").read_text().splitlines()[1:]]
    height = {row[1]: float(row[2]) if row[2] not in ("NA", "-9") else np.nan for row in samples}
    y = np.array([height.get(str(iid), np.nan) for iid in geno.samples["iid"]])
    known = np.flatnonzero(np.isfinite(y))
    signed = np.array([slopes.get(name, 0.0) for name in variants()])
    used = np.flatnonzero(signed)
    again = riata.fit_path(
        geno.subset(samples=known, variants=used), y[known], alphas=path.alphas, standardize=False, tol=1e-10,
        penalty_factor=1.0 / np.abs(signed[used]),
        lower=np.where(signed[used] > 0, 0.0, -np.inf), upper=np.where(signed[used] > 0, np.inf, 0.0),
    )  # fmt: skip
    assert_allclose(path.coefs.toarray()[used], again.coefs.toarray(), atol=1e-7)
    assert path.coefs.toarray().any()
    assert not np.delete(path.coefs.toarray(), used, axis=0).any()


def test_unilasso_with_slopes_of_a_table(tmp_path, table, capsys):
    file, out = tmp_path / "slopes.csv", tmp_path / "y"
    file.write_text("gene,beta\ng3,0.8\ng4,0.5\ng7,NA\nelsewhere,2\n")
    options = ["--penalty", "unilasso", "--univariate", file, "--alphas", 10]
    assert run("fit", "--matrix", table, "--target", "y", *options, "--out", out) == 0
    assert "2 features with a slope in" in capsys.readouterr().out
    coefs = riata.load(f"{out}.path.npz").path.coefs.toarray()
    assert coefs[3].any()
    assert not np.delete(coefs, 3, axis=0).any()  # g4 acts the other way than its slope says


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene\ng3\n", "must have a column of features"),
        ("gene,beta\ng3,0.8\ng3,0.5\n", "line 3: 'g3' is listed twice"),
        ("gene,beta\ng3,high\n", "line 2"),
        ("gene,beta\nelsewhere,2\n", "none of its 1 features is in the data"),
    ],
)
def test_slopes_are_checked(tmp_path, table, text, message, capsys):
    file = tmp_path / "slopes.csv"
    file.write_text(text)
    options = ["--penalty", "unilasso", "--univariate", file, "--out", tmp_path / "y"]
    assert run("fit", "--matrix", table, "--target", "y", *options) == 2
    assert message in capsys.readouterr().err


def test_slopes_need_their_penalty(tmp_path, table, capsys):
    assert run("fit", "--matrix", table, "--target", "y", "--univariate", table, "--out", tmp_path / "y") == 2
    assert "--univariate needs --penalty unilasso" in capsys.readouterr().err
