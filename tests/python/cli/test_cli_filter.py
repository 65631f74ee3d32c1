"""``riata select --fdr``: its files by schema and value, several phenotypes and resolutions, refusals."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from commands import read_tsv, run
from genotype_files import random_dosages, write_bgen

import riata
from riata.knockoffs import Knockoffs
from riata.study.resolutions import in_digits

SCORES = ["BETA", "W", "Q_VALUE"]


def write_table(path, ids, columns):
    rows = zip(ids, *(values for _, values in columns), strict=True)
    head = "\t".join(["id", *(name for name, _ in columns)])
    lines = ["\t".join([row[0], *(v if isinstance(v, str) else f"{v:.5f}" for v in row[1:])]) for row in rows]
    path.write_text("\n".join([head, *lines]) + "\n")


@pytest.fixture
def table(tmp_path):
    """160 samples x 60 genes, of which 12 matter for y and 11 for z, and knockoffs, shuffled."""
    rng = np.random.default_rng(4)
    X, made = rng.standard_normal((2, 160, 60)).round(5)
    y = X[:, :12] @ np.where(np.arange(12) % 2, 1.0, -1.0) + 0.5 * rng.standard_normal(160)
    z = X[:, 20:31].sum(axis=1) + 0.5 * rng.standard_normal(160)
    genes = [f"g{j}" for j in range(60)]
    ids = [f"s{i}" for i in range(160)]
    path, knockoffs = tmp_path / "table.tsv", tmp_path / "knockoffs.tsv"
    gaps = ["NA" if i % 8 == 0 else f"{value:.5f}" for i, value in enumerate(z)]
    family = [f"f{i // 2}" for i in range(160)]
    features = [(name, X[:, j]) for j, name in enumerate(genes)]
    beside = [("y", y), ("z", gaps), ("age", rng.standard_normal(160)), ("fam", family)]
    write_table(path, ids, [*features, *beside])
    order = rng.permutation(60)
    back = rng.permutation(160)
    write_table(knockoffs, [ids[i] for i in back], [(genes[j], made[back, j]) for j in order])
    return path, knockoffs, X, made, y.round(5), z.round(5)


def test_table_by_schema_and_value(tmp_path, table, capsys):
    path, knockoffs, X, made, y, _ = table
    asked = ["--matrix", path, "--target", "y", "--drop", "z,age,fam", "--knockoffs", knockoffs]
    assert run("select", *asked, "--fdr", 0.2, "--seed", 3, "--cv", 5, "--out", tmp_path / "o") == 0
    found = riata.knockoff_selection(
        np.asfortranarray(X), y, knockoffs=np.asfortranarray(made), fdr=0.2, cv=5, random_state=3
    )
    assert len(found.selected) >= 12
    selected = read_tsv(tmp_path / "o.selected.tsv")
    assert list(selected) == ["FEATURE", *SCORES]
    assert selected["FEATURE"] == [f"g{j}" for j in found.selected]
    assert np.allclose([float(w) for w in selected["W"]], found.W[found.selected])
    assert np.allclose([float(q) for q in selected["Q_VALUE"]], found.q_values[found.selected])
    assert np.allclose([float(b) for b in selected["BETA"]], found.coef_mean[found.selected])
    every = read_tsv(tmp_path / "o.statistics.tsv")
    assert list(every) == ["FEATURE", *SCORES, "SELECTED"]
    assert every["FEATURE"] == [f"g{j}" for j in found.ranked]
    assert every["SELECTED"].count("yes") == len(found.selected)
    record = json.loads((tmp_path / "o.json").read_text())
    told = record["knockoffs"]
    assert (told["fdr"], told["seed"], told["draws"], told["offset"]) == (0.2, 3, 1, 1)
    assert told["lists"][0]["selected"] == len(found.selected)
    assert told["lists"][0]["threshold"] == found.threshold
    assert told["lists"][0]["check_passed"] is True
    assert record["rows"]["selected.tsv"] == len(found.selected)
    assert riata.load(tmp_path / "o.selection.npz").W.tolist() == found.W.tolist()
    assert f"Selected: {len(found.selected)} features of 60" in capsys.readouterr().out
    page = (tmp_path / "o.html").read_text()
    for heading in (
        "What the error rate means",
        "How they stand out",
        "What was selected",
        "The check of the",
    ):
        assert heading in page
    assert "at most 20 % of what is selected is false" in page
    assert "Along the genome" not in page
    assert not list(tmp_path.glob("*checkpoint*"))


def test_phenotypes_share_knockoffs_and_have_their_own_samples(tmp_path, table):
    path, knockoffs, X, made, _, z = table
    asked = ["--matrix", path, "--target", "y,z", "--drop", "fam", "--covar", "age", "--knockoffs", knockoffs]
    assert run("select", *asked, "--fdr", 0.2, "--quiet", "--out", tmp_path / "o") == 0
    rows = np.arange(160) % 8 != 0
    ages = [float(row.split("\t")[63]) for row in path.read_text().splitlines()[1:]]
    design = np.asfortranarray(np.column_stack([X, ages])[rows])
    other = np.asfortranarray(np.column_stack([made, ages])[rows])
    factor = np.repeat([1.0, 0.0], [60, 1])
    found = riata.knockoff_selection(design, z[rows], knockoffs=other, fdr=0.2, penalty_factor=factor)
    assert read_tsv(tmp_path / "o.z.selected.tsv")["FEATURE"] == [f"g{j}" for j in found.selected]
    assert set(read_tsv(tmp_path / "o.z.selected.tsv")["FEATURE"]) >= {f"g{j}" for j in range(20, 31)}
    assert set(read_tsv(tmp_path / "o.y.selected.tsv")["FEATURE"]) >= {f"g{j}" for j in range(12)}
    assert not (tmp_path / "o.html").exists()


def test_groups_and_blocks(tmp_path, table):
    path, knockoffs, X, made, y, _ = table
    sets = tmp_path / "sets.tsv"
    sets.write_text("gene\tset\n" + "".join(f"g{j}\tG{j // 3}\n" for j in range(57)))
    asked = ["--matrix", path, "--target", "y", "--drop", "z,age", "--groups", sets, "--knockoffs", knockoffs]
    assert run("select", *asked, "--fdr", 0.3, "--blocks", "fam", "--cv", 4, "--out", tmp_path / "o") == 0
    labels = [f"G{j // 3}" if j < 57 else f"g{j}" for j in range(60)]
    found = riata.knockoff_selection(
        np.asfortranarray(X), y, knockoffs=np.asfortranarray(made), groups=labels, fdr=0.3, cv=4,
        blocks=[f"f{i // 2}" for i in range(160)],
    )  # fmt: skip
    written = read_tsv(tmp_path / "o.selected.tsv")
    assert list(written) == ["GROUP", "N_FEATURES", "FEATURE", *SCORES]
    assert written["GROUP"] == [str(found.group_names[k]) for k in found.selected]
    members = read_tsv(tmp_path / "o.groups.tsv")
    assert list(members) == ["GROUP", "FEATURE", "LEAD"]
    assert [f for g, f in zip(members["GROUP"], members["FEATURE"], strict=True) if g == "G1"] == [
        "g3",
        "g4",
        "g5",
    ]
    assert members["LEAD"].count("yes") == len(found.selected)


def test_with_halves_each_list_has_its_name(tmp_path, table, capsys):
    path, knockoffs, *_ = table
    asked = ["select", "--matrix", path, "--target", "y", "--drop", "z,age,fam", "--knockoffs", knockoffs]
    assert run(*asked, "--fdr", 0.2, "--pfer", 1, "--pairs", 6, "--out", tmp_path / "o") == 0
    told = capsys.readouterr().out
    assert told.index("Knockoff filter") < told.index("Stability selection")
    for list_, columns in (("knockoffs", SCORES), ("stability", ["BETA", "BETA_SD"])):
        written = read_tsv(tmp_path / f"o.{list_}.selected.tsv")
        assert list(written)[: 1 + len(columns)] == ["FEATURE", *columns]
        assert set(written["FEATURE"]) >= {"g0", "g5"}
        riata.load(tmp_path / f"o.{list_}.selection.npz")
    assert not (tmp_path / "o.selected.tsv").exists()
    record = json.loads((tmp_path / "o.json").read_text())
    assert record["knockoffs"]["fdr"] == 0.2
    assert record["selection"]["halves"] == 12
    page = (tmp_path / "o.html").read_text()
    assert "Knockoffs: what the error rate means" in page
    assert "Halves: which errors to expect" in page
    assert page.count("Which samples were used") == 1


def test_blocks_are_of_the_halves_where_entry_takes_no_folds(tmp_path, table):
    path, knockoffs, X, made, y, _ = table
    asked = ["select", "--matrix", path, "--target", "y", "--drop", "z,age", "--knockoffs", knockoffs]
    asked += ["--fdr", 0.2, "--statistic", "entry", "--blocks", "fam", "--pfer", 1, "--pairs", 6]
    assert run(*asked, "--quiet", "--out", tmp_path / "o") == 0
    found = riata.knockoff_selection(
        np.asfortranarray(X), y, knockoffs=np.asfortranarray(made), fdr=0.2, statistic="entry"
    )
    assert np.array_equal(riata.load(tmp_path / "o.knockoffs.selection.npz").W, found.W)
    assert json.loads((tmp_path / "o.json").read_text())["selection"]["blocks"] == "fam"


def test_nothing_selected(tmp_path, table, capsys):
    _, knockoffs, *_ = table
    rng = np.random.default_rng(1)
    noise = tmp_path / "noise.tsv"
    X = rng.standard_normal((160, 60))
    write_table(noise, [f"s{i}" for i in range(160)],
                [*((f"g{j}", X[:, j]) for j in range(60)), ("y", rng.standard_normal(160))])  # fmt: skip
    asked = ["--matrix", noise, "--target", "y", "--knockoffs", knockoffs, "--fdr", 0.05]
    assert run("select", *asked, "--out", tmp_path / "o") == 0
    told = capsys.readouterr().out
    assert "Selected: 0 features of 60" in told
    assert "at --fdr 0.05 fewer than 20 (1/fdr) are never selected" in told
    assert "What would change that: a larger --fdr, groups of features that are alike (--groups;" in told
    assert "groups=" not in told
    assert (tmp_path / "o.selected.tsv").read_text() == "\t".join(["FEATURE", *SCORES]) + "\n"
    page = (tmp_path / "o.html").read_text()
    assert "Nothing was selected" in page
    assert "groups=" not in page
    assert run("select", *asked, "--knockoff-offset", 0, "--quiet", "--out", tmp_path / "modified") == 0
    page = (tmp_path / "modified.html").read_text()
    assert "False ones / (selected + 20) is at most 5 %, on average." in page
    assert "of what is selected is false" not in page


def test_a_check_that_fails_is_loud(tmp_path, capsys):
    rng = np.random.default_rng(2)
    common = rng.standard_normal((200, 1))
    X, wrong = common + 0.3 * rng.standard_normal((200, 20)), rng.standard_normal((200, 20))
    ids = [f"s{i}" for i in range(200)]
    y = rng.standard_normal(200)
    write_table(tmp_path / "t.tsv", ids, [*((f"g{j}", X[:, j]) for j in range(20)), ("y", y)])
    write_table(tmp_path / "k.tsv", ids, [(f"g{j}", wrong[:, j]) for j in range(20)])
    asked = ["--matrix", tmp_path / "t.tsv", "--target", "y", "--knockoffs", tmp_path / "k.tsv", "--fdr", 0.3]
    assert run("select", *asked, "--out", tmp_path / "o") == 0
    told = capsys.readouterr().out
    assert told.count("the check of the knockoffs FAILED") == 1
    assert "warning: Correlations" not in told
    page = (tmp_path / "o.html").read_text()
    assert "The check of the knockoffs failed" in page
    assert "do not report these lists as they are" in page
    assert json.loads((tmp_path / "o.json").read_text())["knockoffs"]["lists"][0]["check_passed"] is False


def test_a_check_that_passes_in_part_is_told(tmp_path, capsys):
    rng = np.random.default_rng(4)
    common = rng.standard_normal((2000, 1))
    X, near = (np.sqrt(r) * common + np.sqrt(1 - r) * rng.standard_normal((2000, 12)) for r in (0.5, 0.44))
    ids = [f"s{i}" for i in range(2000)]
    y = X[:, :8].sum(axis=1) + rng.standard_normal(2000)
    write_table(tmp_path / "t.tsv", ids, [*((f"g{j}", X[:, j]) for j in range(12)), ("y", y)])
    write_table(tmp_path / "k.tsv", ids, [(f"g{j}", near[:, j]) for j in range(12)])
    asked = ["--matrix", tmp_path / "t.tsv", "--target", "y", "--knockoffs", tmp_path / "k.tsv", "--fdr", 0.2]
    assert run("select", *asked, "--cv", 3, "--out", tmp_path / "o") == 0
    told = capsys.readouterr().out
    assert told.count("note: The knockoffs passed their check, but not by much.") == 1
    assert "warning" not in told.lower()
    page = (tmp_path / "o.html").read_text()
    assert "passed in part" in page
    assert "may be somewhat above the one asked for" in page
    record = json.loads((tmp_path / "o.json").read_text())["knockoffs"]["lists"][0]
    assert record["check_passed"] is True
    assert "somewhat" in record["notes"][0]


@pytest.fixture
def genotypes(tmp_path):
    """Simulated genotypes in blocks of linkage disequilibrium, with strong effects."""
    riata.simulate_genotypes(tmp_path / "g", 300, 240, n_chromosomes=2, n_causal=12, h2=0.9, seed=2)
    return tmp_path / "g"


def test_second_bed(tmp_path, genotypes, capsys):
    """Variants and samples of knockoffs from elsewhere are matched by name."""
    study = riata.open_genotypes(genotypes)
    shuffled = study.subset(samples=np.random.default_rng(0).permutation(300))
    shuffled.samples = study.samples
    Knockoffs(shuffled).save(tmp_path / "made.bed")
    made = riata.open_genotypes(tmp_path / "made")
    Knockoffs(made.subset(samples=np.arange(300)[::-1], variants=np.arange(240)[::-1])).save(
        tmp_path / "turned.bed"
    )
    asked = ["select", "--bfile", genotypes, "--fdr", 0.3, "--ld-groups", 0.1, "--quiet"]
    for name in ("made", "turned.bed"):
        assert run(*asked, "--knockoffs", tmp_path / name, "--out", tmp_path / f"o.{name}") == 0
    first, second = (read_tsv(tmp_path / f"o.{name}.statistics.tsv") for name in ("made", "turned.bed"))
    assert first == second
    groups = riata.ld_groups(study, r2=0.1)
    y = np.array([float(v) for v in study.samples["phenotype"]])
    with pytest.warns(riata.knockoffs.KnockoffWarning):  # which they do not pass
        found = riata.knockoff_selection(study, y, knockoffs=made, groups=groups, fdr=0.3)
    assert first["GROUP"] == [groups.names[k] for k in found.ranked]
    assert np.allclose([float(w) for w in first["W"]], found.W[found.ranked])
    Knockoffs(made.subset(variants=np.arange(239))).save(tmp_path / "short.bed")
    assert run(*asked, "--knockoffs", tmp_path / "short", "--out", tmp_path / "o") == 2
    assert (
        "must hold all 240 variants in use, got none of the name 2 120000 snp240" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--fdr", 1], "--fdr: must lie between 0 and 1"),
        (["--fdr", 0.01], "--fdr must be at least 0.0167, one over the 60 features to select from, got 0.01"),
        (["--draws", 3], "--draws needs --fdr"),
        (["--keep-knockoffs"], "--keep-knockoffs needs --fdr"),
        (["--fdr", 0.1, "--pairs", 7], "--pairs needs --pfer"),
        (["--fdr", 0.1, "--p-values"], "--p-values needs --pfer"),
        (["--fdr", 0.1, "--knockoffs", "haplotypes"], "--knockoffs haplotypes is for genotypes"),
        (
            ["--fdr", 0.1, "--knockoffs", "nowhere.tsv"],
            "--knockoffs must be auto, gaussian or haplotypes, or a",
        ),
        (["--fdr", 0.1, "--populations", "fam"], "--populations is for knockoffs of genotypes"),
        (["--fdr", 0.1, "--related", "ok"], "--related is for knockoffs of genotypes"),
        (["--fdr", 0.1, "--draws", 3, "--knockoff-offset", 0], "--knockoff-offset 0 is for one draw"),
        (["--fdr", 0.1, "--knockoff-offset", 2], "--knockoff-offset: must be 0 or 1, got '2'"),
        (["--fdr", 0.1, "--statistic", "entry", "--cv", 5], "--cv is for --statistic coef-difference"),
        (["--fdr", 0.1, "--statistic", "entry", "--blocks", "fam"], "--blocks is for --statistic coef-diff"),
        (["--fdr", 0.1, "--statistic", "entri"], "did you mean entry?"),
        (["--fdr", 0.1, "--ld-groups", 0.5], "--ld-groups is for genotypes"),
        (["--populations", "fam"], "--populations needs --fdr"),
    ],
)
def test_refused(tmp_path, table, capsys, given, message):
    path, *_ = table
    asked = ["--matrix", path, "--target", "y", "--drop", "z,age,fam"]
    assert run("select", *asked, *given, "--out", tmp_path / "o") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("drop", "given", "message"),
    [
        ("z,age,fam", ["--draws", 2], "--draws is for knockoffs that are drawn here, not for --knockoffs"),
        ("z,age,fam", ["--keep-knockoffs"], "--keep-knockoffs is for knockoffs that are drawn here"),
        ("z,fam", [], "must hold all 61 features in use, got none of the name age"),
    ],
)
def test_refused_of_ready_made(tmp_path, table, capsys, drop, given, message):
    path, knockoffs, *_ = table
    asked = ["--matrix", path, "--target", "y", "--drop", drop, "--fdr", 0.2, "--knockoffs", knockoffs]
    assert run("select", *asked, *given, "--out", tmp_path / "o") == 2
    assert message in capsys.readouterr().err


def test_several_resolutions_are_of_filters_alone(tmp_path, genotypes, capsys):
    asked = ["select", "--bfile", genotypes, "--ld-groups", "0.2,0.5", "--out", tmp_path / "o"]
    assert run(*asked) == 2
    assert "2 resolutions are for --fdr alone" in capsys.readouterr().err
    assert run(*asked, "--fdr", 0.2, "--knockoffs", genotypes) == 2
    assert "--knockoffs FILE is for one resolution" in capsys.readouterr().err
    assert run(*asked[:4], "0.5,0.5", *asked[5:], "--fdr", 0.2) == 2
    assert "expected distinct numbers, got '0.5,0.5'" in capsys.readouterr().err


def test_resolutions_that_differ_in_a_late_digit_have_files_of_their_own(tmp_path, genotypes):
    asked = ["select", "--bfile", genotypes, "--fdr", 0.3, "--clusters", 2, "--cv", 3, "--keep-knockoffs"]
    cuts = "0.1,0.1234567,0.12345671"
    assert run(*asked, "--quiet", "--ld-groups", cuts, "--out", tmp_path / "o") == 0
    lists = json.loads((tmp_path / "o.json").read_text())["knockoffs"]["lists"]
    assert [one["ld_groups"] for one in lists] == sorted(float(r2) for r2 in cuts.split(","))
    for r2 in cuts.split(","):
        for kind in ("selected.tsv", "statistics.tsv", "selection.npz", "knockoffs.bed"):
            assert (tmp_path / f"o.r2_{r2}.{kind}").exists()
    page = (tmp_path / "o.html").read_text()
    assert "r² ≥ 0.1234567" in page
    assert "r² ≥ 0.12345671" in page
    assert [in_digits(r2) for r2 in (0.5, 1.0, 1e-7, 0.1 + 0.2)] == [
        "0.5",
        "1",
        "0.0000001",
        "0.30000000000000004",
    ]


def test_what_is_its_own_knockoff_is_so_for_each_phenotype():
    """Features that are `fixed` count for neither side here as in Python; covariates are none of them."""
    from riata.cli.filtering import of_study

    X, fixed = np.ones((4, 3)), np.array([True, False, True])
    made = Knockoffs(X, groups=np.array([0, 0, 1]), fixed=fixed)
    study = SimpleNamespace(
        covariate_names=["age"], covariates=np.zeros((3, 1)), feature_names=["a", "b", "c", "age"]
    )
    own = of_study(made, study, np.array([0, 1, 3]), SimpleNamespace(X=X))
    assert own.shape == (3, 4)
    assert own.fixed.tolist() == [True, False, True, False]
    assert own.labels.tolist() == [0, 0, 1, -1]
    alone = SimpleNamespace(covariate_names=[])
    assert of_study(made, alone, np.arange(4), SimpleNamespace(X=X)).fixed.tolist() == fixed.tolist()


def test_kept_tables_bring_their_groups_and_what_is_fixed(tmp_path, table, capsys):
    """Of a fixed column that varies both sides are the same numbers, and it counts for neither."""
    path, _, X, made, y, _ = table
    fixed = np.isin(np.arange(60), [0, 3])
    made[:, fixed] = X[:, fixed]
    np.savez(tmp_path / "k.npz", X=made, feature_names=[f"g{j}" for j in range(60)],
             sample_ids=[f"s{i}" for i in range(160)])  # fmt: skip
    lines = [f"g{j}\t{j // 2 if j < 30 else 'NA'}\t{'yes' if fixed[j] else 'no'}" for j in range(60)]
    (tmp_path / "k.exchange.tsv").write_text("\n".join(["FEATURE\tGROUP\tFIXED", *lines]) + "\n")
    asked = ["select", "--matrix", path, "--target", "y", "--drop", "z,age,fam", "--fdr", 0.2, "--cv", 5]
    asked += ["--knockoffs", tmp_path / "k.npz", "--out", tmp_path / "o", "--quiet"]
    assert run(*asked) == 2
    assert "g0 and g1 change places with their knockoffs together" in capsys.readouterr().err
    sets = tmp_path / "sets.tsv"
    sets.write_text("gene\tset\n" + "".join(f"g{j}\tG{j // 2}\n" for j in range(60)))
    assert run(*asked, "--groups", sets) == 0
    found = riata.knockoff_selection(
        np.asfortranarray(X), y, knockoffs=Knockoffs(made, fixed=fixed), groups=np.arange(60) // 2, fdr=0.2,
        cv=5,
    )  # fmt: skip
    assert np.allclose(riata.load(tmp_path / "o.selection.npz").W, found.W)
    assert [each for each in json.loads((tmp_path / "o.json").read_text())["inputs"]
            if "k.exchange.tsv" in str(each)]  # fmt: skip


def test_options_of_haplotypes_are_refused_for_dosages(tmp_path, capsys):
    pytest.importorskip("bgen")
    write_bgen(tmp_path / "x", random_dosages(40, 30))
    values = np.random.default_rng(0).random(40)
    rows = [f"i{k} {value:.4f}" for k, value in enumerate(values)]
    (tmp_path / "p.txt").write_text("\n".join(["IID y", *rows]) + "\n")
    asked = [
        "--bgen",
        tmp_path / "x.bgen",
        "--pheno",
        tmp_path / "p.txt",
        "--fdr",
        0.3,
        "--ld-groups",
        "none",
    ]
    assert run("select", *asked, "--clusters", 4, "--out", tmp_path / "o") == 2
    assert "--clusters is for knockoffs by haplotypes, which dosages do not have" in capsys.readouterr().err
