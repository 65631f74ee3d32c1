"""`table` of paths, and pages written from Python."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem

import riata
from riata import penalties
from riata._io.tables import Table
from riata.cli.parser import main

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")


def entries(coefs, alphas):
    """The largest alpha of the grid at which each feature is active, from its definition."""
    dense = coefs.toarray() != 0.0
    return np.where(dense.any(axis=1), alphas[dense.argmax(axis=1)], np.nan)


@pytest.mark.parametrize("standardize", [True, False])
def test_what_the_columns_are(standardize):
    X, y = make_problem()
    X = X * np.arange(1.0, X.shape[1] + 1)
    frame = pd.DataFrame(X).add_prefix("g")
    path = riata.fit_path(frame, y, alphas=20, eps=0.1, standardize=standardize)
    alpha = float(path.alphas[12])
    table = path.table(alpha)
    assert list(table.columns) == ["feature", "coef", "coef_sd", "entry_alpha", "rank"]
    where = [int(name[1:]) for name in table["feature"]]
    assert sorted(where) == np.flatnonzero(path.coef(alpha)).tolist()
    assert_array_equal(table["coef"], path.coef(alpha)[where])
    assert_allclose(table["coef_sd"], table["coef"] * X[:, where].std(axis=0), rtol=1e-10)
    assert_array_equal(table["entry_alpha"], entries(path.coefs, path.alphas)[where])
    assert table["entry_alpha"].is_monotonic_decreasing
    assert table["rank"].tolist() == list(range(1, len(where) + 1))
    assert path.table()["feature"].tolist()[:2] == table["feature"].tolist()[:2]
    assert len(path.table(path.alphas[0])) == 0


def test_unpenalised_features_come_first():
    X, y = make_problem()
    factor = np.ones(X.shape[1])
    factor[[50, 9]] = 0.0
    table = riata.fit_path(X, y, alphas=9, penalty_factor=factor).table()
    assert set(table["feature"][:2]) == {9, 50}
    assert np.isinf(table["entry_alpha"][:2]).all()
    assert np.isfinite(table["entry_alpha"][2:]).all()


@pytest.mark.parametrize("loss", ["multinomial", "multigaussian"])
def test_several_outputs_have_a_row_each(loss):
    X, y = make_problem()
    if loss == "multinomial":
        y = np.array(["a", "b", "c"])[np.digitize(y, [-1.0, 1.5])]
        outputs = ["a", "b", "c"]
    else:
        y = pd.DataFrame({"height": y, "weight": y**2})
        outputs = ["height", "weight"]
    path = riata.fit_path(X, y, loss=loss, alphas=10, eps=0.2)
    table = path.table()
    coef = path.coef(path.alphas[-1])
    assert len(table) == np.count_nonzero(coef)
    at = [outputs.index(label) for label in table["output"]]
    assert_array_equal(table["coef"], coef[table["feature"], at])
    entry = np.column_stack([entries(one, path.alphas) for one in path.coefs])
    assert_array_equal(table["entry_alpha"], entry[table["feature"], at])
    assert table.groupby("feature")["rank"].nunique().eq(1).all()
    first = table.drop_duplicates("feature")
    assert first["rank"].tolist() == list(range(1, len(first) + 1))


def test_groups_are_named():
    X, y = make_problem()
    groups = [f"set {j // 5}" for j in range(X.shape[1])]
    table = riata.fit_path(X, y, penalty=penalties.GroupLasso(groups), alphas=10, eps=0.3).table()
    assert table["group"].tolist() == [groups[j] for j in table["feature"]]


def test_variants_have_places_and_alleles():
    geno = riata.open_genotypes(Path(__file__).parents[2] / "data" / "genotypes" / "tiny.bed")
    copies = np.nan_to_num(geno.to_numpy(np.array([5, 9])))
    y = copies @ [1.0, -1.0] + np.random.default_rng(0).standard_normal(len(geno))
    cv = riata.cv_path(geno, y, cv=4, alphas=20)
    table = cv.table()
    where = [list(geno.variants.id).index(name) for name in table["feature"]]
    assert table["chrom"].tolist() == [geno.variants.chrom[j] for j in where]
    assert table["pos"].tolist() == [geno.variants.pos[j] for j in where]
    assert table["effect_allele"].tolist() == [geno.effect_allele[j] for j in where]
    assert table["other_allele"].tolist() == [geno.other_allele[j] for j in where]
    assert_allclose(table["frequency"], geno.allele_frequency()[where])
    assert_array_equal(table["coef"], cv.coef()[where])


def test_without_pandas(monkeypatch):
    import builtins

    real = builtins.__import__

    def no_pandas(name, *arguments, **more):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *arguments, **more)

    X, y = make_problem()
    path = riata.fit_path(X, y, alphas=9)
    monkeypatch.setattr(builtins, "__import__", no_pandas)
    table = path.table()
    assert isinstance(table, Table)
    assert len(table.feature) == path.n_active[-1]


def without_places(page):
    """Leave out what rounding can move: ticks at either of two points as near, curves by a pixel."""
    return re.sub(r'<text class="tick".*?</text>| points="[^"]*"', "", page)


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


#: How the headings begin of what compares predictions with responses.
HELD_OUT = re.compile("How predictions compare|How the score tells")


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox", "poisson", "huber", "multinomial"])
def test_a_page_from_python(tmp_path, loss):
    X, y = make_problem("gaussian" if loss == "multinomial" else loss)
    if loss == "multinomial":
        y = np.array(["a", "b", "c"])[np.digitize(y, [-1.0, 1.5])]
    cv = riata.cv_path(pd.DataFrame(X).add_prefix("gene<"), y, loss=loss, cv=4, alphas=15, eps=0.1)
    cv.report(tmp_path / "page.html")
    middle = float(cv.alphas[8])
    cv.path.report(tmp_path / "path.html", alpha=middle)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "path.html"]
    for name, alpha in (("page.html", cv.alpha), ("path.html", middle)):
        selected = len(cv.table(alpha)["feature"].unique())
        page = (tmp_path / name).read_text()
        assert f"<h1>{selected:,} of 60 features selected" in page
        assert "gene&lt;" in page
        assert not re.search("gene<[0-9]", page)
        assert ".hits.tsv" not in page
        assert "<svg" in page
    assert "Cross-validated" in text_of((tmp_path / "page.html").read_text())
    assert not HELD_OUT.search((tmp_path / "page.html").read_text())
    cv.report(tmp_path / "page.html", y=y)
    assert HELD_OUT.search((tmp_path / "page.html").read_text())
    with pytest.raises(ValueError, match="alpha must lie within the fitted path"):
        cv.report(tmp_path / "page.html", alpha=cv.alphas[-1] / 10)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox", "multinomial"])
def test_the_page_of_python_is_that_of_the_command_line(tmp_path, loss):
    """Sections that say the same of both: figures, tables and their words."""
    X, y = make_problem("gaussian" if loss == "multinomial" else loss)
    frame = pd.DataFrame(X).add_prefix("g")
    target = {"gaussian": "size", "binomial": "ill", "multinomial": "kind"}.get(loss)
    if loss == "multinomial":
        y = np.array(["a", "b", "c"])[np.digitize(y, [-1.0, 1.5])]
    given = pd.DataFrame(y, columns=["days", "died"]) if loss == "cox" else pd.Series(y, name=target)
    table = pd.concat([frame, given.astype(int) if loss == "binomial" else given], axis=1)
    table.to_csv(tmp_path / "t.csv", index_label="id", float_format="%.17g")
    where = ["--time", "days", "--event", "died"] if loss == "cox" else ["--target", target]
    arguments = ["cv", "--matrix", tmp_path / "t.csv", *where, "--loss", loss, "--cv", 5, "--alphas", 23]
    arguments += ["--patience", "off"]
    assert main([*map(str, arguments), "--out", str(tmp_path / "c"), "--quiet"]) == 0
    cv = riata.cv_path(frame, given, loss=loss, cv=5, alphas=23)
    cv.report(tmp_path / "page.html", y=given)
    pages = [without_places((tmp_path / name).read_text()) for name in ("c.html", "page.html")]
    for part in (r"<h1>.*?</h1>", r'<p class="lead">.*?</p>'):
        first, second = (re.search(part, page).group() for page in pages)
        assert first == second
    same = ("How well it predicts", HELD_OUT.pattern, "What was selected", "How effects enter")
    for heading in same:
        first, second = (
            next(s for s in re.findall(r"<section>.*?</section>", page, re.DOTALL) if re.search(heading, s))
            for page in pages
        )
        assert first.replace(f"{tmp_path / 'c'}.hits.tsv", "table() of the fit") == second
    # and of a fit that the command line made and Python loads
    riata.load(tmp_path / "c.path.npz").report(tmp_path / "again.html")
    again = without_places((tmp_path / "again.html").read_text())
    first, second = (
        re.findall(r"<section>.*?</section>", page, re.DOTALL)[:-1] for page in (pages[0], again)
    )
    assert [s.replace(f"{tmp_path / 'c'}.hits.tsv", "table() of the fit") for s in first] == second
