"""A model means the same on every equivalent of a fileset: in Python and from the command line."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from genotype_files import random_copies, write_bed, write_bgen, write_pgen
from numpy.testing import assert_allclose
from support import response_to

import riata
from riata.cli.parser import main

DATA = Path(__file__).parents[2] / "data"
LETTERS = [("A", "G"), ("C", "T"), ("G", "C"), ("A", "T"), ("AT", "A"), ("<DEL>", "N")]


def run(*arguments):
    return main([str(argument) for argument in arguments])


def read_tsv(path):
    rows = [line.split("\t") for line in Path(path).read_text().splitlines()]
    return {name: [row[k] for row in rows[1:]] for k, name in enumerate(rows[0])}


@dataclass
class Cohort:
    """Variants (chrom, id, pos, a1, a2) and copies of a1, variants x samples, NaN where missing."""

    variants: list
    copies: np.ndarray

    def swapped(self, which):
        """The same people, with A1 and A2 of some variants exchanged."""
        variants = [
            (c, i, b, y, x) if swap else (c, i, b, x, y)
            for (c, i, b, x, y), swap in zip(self.variants, which, strict=True)
        ]
        return Cohort(variants, np.where(np.asarray(which)[:, None], 2 - self.copies, self.copies))

    def taken(self, order):
        return Cohort([self.variants[j] for j in order], self.copies[order])

    def renamed(self, name):
        return Cohort([(c, name(j), b, x, y) for j, (c, _, b, x, y) in enumerate(self.variants)], self.copies)

    def of(self, samples):
        return Cohort(self.variants, self.copies[:, samples])


def cohort(p, n, rng, missing=0.1):
    chrom = np.sort(rng.integers(1, 4, p))
    variants = [(str(chrom[j]), f"rs{j}", 1000 + 10 * j, *LETTERS[j % len(LETTERS)]) for j in range(p)]
    copies = rng.binomial(2, rng.uniform(0.2, 0.8, (p, 1)), (p, n)).astype(float)
    copies[rng.random((p, n)) < missing] = np.nan
    return Cohort(variants, copies)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A path, an estimator and a saved model of one fileset, and new people with their linear predictors."""
    folder = tmp_path_factory.mktemp("fitted")
    rng = np.random.default_rng(3)
    both = cohort(24, 90, rng)
    train, new = both.of(slice(0, 60)), both.of(slice(60, 90))
    mean = np.nanmean(train.copies, axis=1)
    filled = np.where(np.isnan(train.copies), mean[:, None], train.copies)
    y = filled[::3].T @ rng.choice([-1.0, 0.5, 2.0], 8) + rng.standard_normal(60)
    stem = write_bed(folder / "train", train.variants, train.copies)
    rows = "".join(f"f{k} i{k} {value!r}\n" for k, value in enumerate(y.tolist()))
    Path(f"{stem}.txt").write_text("FID IID y\n" + rows)
    geno = riata.open_genotypes(stem)
    path = riata.fit_path(geno, y, alphas=[0.2, 0.1])
    model = riata.Lasso(0.1, standardize=True).fit(geno, y)
    command = ["fit", "--bfile", stem, "--pheno", f"{stem}.txt", "--alphas", "0.2,0.1", "--alpha", 0.1]
    assert run(*command, "--threads", 1, "--quiet", "--out", folder / "m") == 0
    used = np.where(np.isnan(new.copies), mean[:, None], new.copies)
    link = (
        path.intercept(0.1) + path.coef(0.1) @ used
    )  # by hand: copies of A1, missing calls at the fit's means
    assert (path.coef(0.1) != 0).sum() > 8
    return path, model, folder / "m.path.npz", new, link


def predictions(fitted, source, out, flag="--bfile"):
    """Predictions by every door."""
    path, model, saved, _, _ = fitted
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", riata.VariantWarning)
        geno = riata.open_genotypes(source)
        yield path.predict(geno, 0.1)
        yield path.predict(geno)[:, 1]
        yield model.predict(geno)
        kept = riata.load(saved)
        yield kept.predict(geno, 0.1)
        yield path.predict(riata.match_variants(path, geno), 0.1)
        yield model.intercept_ + model.transform(geno) @ model.coef_[model.coef_ != 0]
    assert run("predict", "--model", saved, flag, source, "--out", out, "--quiet") == 0
    yield np.array(read_tsv(f"{out}.scores.tsv")["PREDICTION"], dtype=float)


def check(fitted, source, tmp_path, expected, flag="--bfile"):
    for found in predictions(fitted, source, tmp_path / "p", flag):
        assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_equivalent_filesets_get_the_same_predictions(fitted, tmp_path, seed):
    """A1 and A2 exchanged, other variants in between, any order, other ids, three formats."""
    new, link = fitted[3], fitted[4]
    rng = np.random.default_rng(seed)
    swapped = new.swapped(rng.random(24) < 0.5)
    check(fitted, write_bed(tmp_path / "swapped", swapped.variants, swapped.copies), tmp_path, link)

    more = cohort(10, 30, rng)
    extra = [("7", f"more{j}", 5 + j, "A", "C") for j in range(10)]
    mixed = Cohort(swapped.variants + extra, np.vstack([swapped.copies, more.copies]))
    mixed = mixed.taken(rng.permutation(34))
    check(fitted, write_bed(tmp_path / "mixed", mixed.variants, mixed.copies), tmp_path, link)

    hard = mixed.renamed(lambda j: f"{mixed.variants[j][0]}_{mixed.variants[j][2]}" if j % 2 else ".")
    check(fitted, write_bed(tmp_path / "renamed", hard.variants, hard.copies), tmp_path, link)
    pytest.importorskip("pgenlib")
    stem = write_pgen(tmp_path / "p2", hard.copies, variants=hard.variants).removesuffix(".pgen")
    check(fitted, stem, tmp_path, link, "--pfile")
    pytest.importorskip("bgen")
    file = write_bgen(tmp_path / "b", mixed.copies, variants=mixed.variants)
    check(fitted, file, tmp_path, link, "--bgen")


def test_one_file_a_chromosome(fitted, tmp_path):
    new, link = fitted[3], fitted[4]
    chrom = np.array([row[0] for row in new.variants])
    for name in np.unique(chrom):
        part = new.taken(np.flatnonzero(chrom == name))
        write_bed(tmp_path / f"chr{name}", part.variants, part.copies)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # chromosomes 4 to 22 are not there
        check(fitted, str(tmp_path / "chr@"), tmp_path, link)


def test_samples_one_at_a_time(fitted, tmp_path):
    """Who else is in the file does not matter, not even for missing calls."""
    new, link = fitted[3], fitted[4]
    for k in (0, 7, 29):
        alone = new.of([k])
        check(fitted, write_bed(tmp_path / f"one{k}", alone.variants, alone.copies), tmp_path, link[[k]])
    everybody = write_bed(tmp_path / "all", new.variants, new.copies)
    path = fitted[0]
    some = riata.open_genotypes(everybody).subset(samples=[4, 2, 11])
    assert_allclose(path.predict(some, 0.1), link[[4, 2, 11]], rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "estimator"),
    [
        ("binomial", riata.SparseLogisticRegression(C=1.0)),
        ("poisson", riata.SparsePoissonRegressor(alpha=0.05)),
        ("cox", riata.SparseCox(alpha=0.02)),
    ],
)
def test_other_losses(tmp_path, loss, estimator):
    rng = np.random.default_rng(1)
    both = cohort(12, 80, rng)
    filled = np.where(np.isnan(both.copies), 1.0, both.copies)
    y = response_to(loss, filled[:3].T @ [0.8, -0.8, 0.5], rng)
    stem = write_bed(tmp_path / "t", both.variants, both.copies)
    swapped = both.swapped(np.arange(12) % 2 == 0).taken(np.arange(12)[::-1])
    other = write_bed(tmp_path / "s", swapped.variants, swapped.copies)
    geno, same = riata.open_genotypes(stem), riata.open_genotypes(other)
    path = riata.cv_path(geno, y, loss=loss, cv=3, alphas=[5.0, 0.1, 0.05])
    estimator.fit(geno, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", riata.VariantWarning)  # A/T and C/G variants that are flipped
        assert_allclose(path.predict(same), path.predict(geno), rtol=1e-12)
        assert_allclose(path.predict(same, kind="link"), path.predict(geno, kind="link"), rtol=1e-12)
        assert_allclose(estimator.predict(same), estimator.predict(geno), rtol=1e-12)
        at_start = path.predict(same, path.alphas[0], kind="link")  # no variant has an effect
        assert_allclose(at_start, path.intercept(path.alphas[0]), rtol=1e-12)
        if loss == "cox":
            first, second = (estimator.predict_survival_function(g, times=[0.5]) for g in (same, geno))
            assert_allclose(first, second, rtol=1e-12)


def test_outputs_of_several_classes(tmp_path):
    rng = np.random.default_rng(2)
    both = cohort(12, 90, rng, missing=0.05)
    filled = np.where(np.isnan(both.copies), 1.0, both.copies)
    y = np.argmax(filled[:3].T + rng.standard_normal((90, 3)), axis=1)
    stem = write_bed(tmp_path / "t", both.variants, both.copies)
    swapped = both.swapped(np.arange(12) % 3 == 0)
    geno = riata.open_genotypes(stem)
    same = riata.open_genotypes(write_bed(tmp_path / "s", swapped.variants, swapped.copies))
    path = riata.fit_path(geno, y, loss="multinomial", alphas=5, eps=0.3)
    model = riata.SparseLogisticRegression(C=2.0).fit(geno, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", riata.VariantWarning)
        assert_allclose(path.predict(same), path.predict(geno), rtol=1e-12)
        assert_allclose(model.predict_proba(same), model.predict_proba(geno), rtol=1e-12)


def test_dosages_count_from_either_side(fitted, tmp_path):
    """Expected copies of the other allele, with missing values, against sums by hand."""
    pytest.importorskip("pgenlib")
    path, new = fitted[0], fitted[3]
    rng = np.random.default_rng(5)
    dosage = rng.integers(0, 2 * 16384 + 1, new.copies.shape) / 16384
    dosage[np.isnan(new.copies)] = np.nan
    other = Cohort(new.variants, dosage).swapped(np.arange(24) % 2 == 0)
    file = write_pgen(tmp_path / "d", other.copies.astype(np.float32), dosages=True, variants=other.variants)
    mean = 2.0 * path.variants.frequency
    used = np.where(np.isnan(dosage), mean[:, None], dosage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", riata.VariantWarning)
        found = path.predict(riata.open_genotypes(file), 0.1)
    assert_allclose(found, path.intercept(0.1) + path.coef(0.1) @ used, rtol=1e-6)  # dosages are float32


def test_what_deserves_a_second_look_is_told(fitted, tmp_path):
    path, model, _, new, link = fitted
    used = np.flatnonzero(path.coef(0.1))
    plain = [j for j in used if {*new.variants[j][3:]} not in ({"A", "T"}, {"C", "G"})]
    either = [j for j in used if j not in plain]
    swap = np.isin(np.arange(24), plain)
    quiet = new.swapped(swap)
    geno = riata.open_genotypes(write_bed(tmp_path / "q", quiet.variants, quiet.copies))
    assert_allclose(model.predict(geno), link, rtol=1e-12)  # unambiguous: warnings are errors here
    matched = riata.match_variants(model, geno)
    assert sorted(matched.flipped) == sorted(f"rs{j}" for j in plain)
    assert not matched.ambiguous
    assert matched.n_found == matched.n_wanted == len(used)

    doubtful = new.swapped(np.isin(np.arange(24), either)).renamed(
        lambda j: "x" if j == plain[0] else f"rs{j}"
    )
    geno = riata.open_genotypes(write_bed(tmp_path / "d", doubtful.variants, doubtful.copies))
    for call in (lambda: path.predict(geno, 0.1), lambda: model.predict(geno)):
        with pytest.warns(riata.VariantWarning, match="A/T or C/G.*1 variant was found by chromosome"):
            assert_allclose(call(), link, rtol=1e-12)
    matched = riata.match_variants(path, geno)
    assert matched.by_place == [f"rs{plain[0]}"]
    assert sorted(matched.ambiguous) == sorted(f"rs{j}" for j in either)
    assert "found by chromosome, position and alleles" in repr(matched)


def test_absent_variants_need_consent(fitted, tmp_path):
    path, model, saved, new, _ = fitted
    gone = int(np.flatnonzero(path.coef(0.1))[0])
    rest = new.taken([j for j in range(24) if j != gone])
    geno = riata.open_genotypes(write_bed(tmp_path / "g", rest.variants, rest.copies))
    for call in (lambda: path.predict(geno, 0.1), lambda: model.predict(geno), lambda: model.transform(geno)):
        with pytest.raises(ValueError, match=f"neither by id nor by place and alleles: rs{gone}"):
            call()
    mean = 2.0 * path.variants.frequency
    used = np.where(np.isnan(new.copies), mean[:, None], new.copies)
    used[gone] = mean[gone]
    expected = path.intercept(0.1) + path.coef(0.1) @ used
    for fit in (path, model):
        matched = riata.match_variants(fit, geno, allow_missing=True)
        assert matched.absent == [(f"rs{gone}", "not in it")]
        found = path.predict(matched, 0.1) if fit is path else model.predict(matched)
        assert_allclose(found, expected, rtol=1e-12)
    out = tmp_path / "p"
    arguments = [
        "predict",
        "--model",
        saved,
        "--bfile",
        tmp_path / "g",
        "--out",
        out,
        "--allow-missing",
        "--quiet",
    ]
    assert run(*arguments) == 0
    assert_allclose(np.array(read_tsv(f"{out}.scores.tsv")["PREDICTION"], dtype=float), expected, rtol=1e-12)


def test_an_id_elsewhere_needs_consent(fitted, tmp_path, capsys):
    path, model, saved, new, link = fitted
    build = Cohort([(c, i, b + 500_000, x, y) for c, i, b, x, y in new.variants], new.copies)
    stem = write_bed(tmp_path / "g", build.variants, build.copies)
    geno = riata.open_genotypes(stem)
    for call in (lambda: path.predict(geno, 0.1), lambda: model.predict(geno)):
        with pytest.raises(
            ValueError, match=r"lies at 1:\d+, but the model has it at 1:\d+ \(\d+ more like it\)"
        ):
            call()
    matched = riata.match_variants(path, geno, ignore_positions=True)
    assert_allclose(path.predict(matched, 0.1), link, rtol=1e-12)
    assert len(matched.elsewhere) == matched.n_wanted
    arguments = ["predict", "--model", saved, "--bfile", stem, "--out", tmp_path / "p"]
    assert run(*arguments) == 2
    assert "--ignore-positions" in capsys.readouterr().err
    assert run(*arguments, "--ignore-positions") == 0
    assert "lie at another position than told" in capsys.readouterr().out
    found = np.array(read_tsv(tmp_path / "p.scores.tsv")["PREDICTION"], dtype=float)
    assert_allclose(found, link, rtol=1e-12)


def test_models_keep_their_variants(fitted, tmp_path):
    path, model, saved, *_ = fitted
    path.save(tmp_path / "p.npz")
    geno = riata.open_genotypes(str(saved).replace("m.path.npz", "train.bed"))
    X = geno.to_numpy()
    filled = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    for one in (path, riata.load(tmp_path / "p.npz"), riata.load(saved)):
        variants = one.variants
        assert list(variants.id) == [f"rs{j}" for j in range(24)]
        assert list(variants.pos) == [1000 + 10 * j for j in range(24)]
        assert [*zip(variants.effect, variants.other, strict=True)] == [LETTERS[j % 6] for j in range(24)]
        assert_allclose(variants.frequency, np.nanmean(X, axis=0) / 2, rtol=1e-14)
        assert_allclose(variants.sd, filled.std(axis=0), rtol=1e-10)
    assert_allclose(model.variants_.sd, filled.std(axis=0), rtol=1e-10)
    plain = riata.Lasso(0.1).fit(geno, filled[:, 0])  # not standardised: of the variants with an effect
    assert_allclose(plain.variants_.sd[plain.coef_ != 0], filled.std(axis=0)[plain.coef_ != 0], rtol=1e-10)
    assert np.isnan(plain.variants_.sd[plain.coef_ == 0]).all()
    assert not hasattr(plain, "_genotypes")
    chosen = riata.LassoCV(cv=3, alphas=[0.2, 0.1, 0.05]).fit(geno, filled[:, 0])
    assert np.isfinite(chosen.variants_.sd[chosen.coef_ != 0]).all()
    assert list(model.feature_names_in_) == [f"rs{j}" for j in range(24)]
    assert list(model.get_feature_names_out()) == [f"rs{j}" for j in np.flatnonzero(model.coef_)]
    model.fit(filled, filled[:, 0])  # to a plain array: nothing is left of the genotypes
    assert not hasattr(model, "variants_")
    assert not hasattr(model, "feature_names_in_")
    model.fit(geno, riata.fit_path(geno, filled[:, 0], alphas=[0.1]).predict(geno, 0.1))


def test_weights_leave_stand_ins_as_the_fit_had_them(tmp_path):
    """A missing call of the fit is the mean of all calls, whatever the observation weights are."""
    rng = np.random.default_rng(8)
    some = cohort(6, 50, rng, missing=0.3)
    geno = riata.open_genotypes(write_bed(tmp_path / "w", some.variants, some.copies))
    mean = np.nanmean(some.copies, axis=1)
    X = np.where(np.isnan(some.copies), mean[:, None], some.copies).T
    y, weights = X @ rng.standard_normal(6), rng.uniform(0.1, 3.0, 50)
    path = riata.fit_path(geno, y, sample_weight=weights, alphas=[0.01])
    assert_allclose(path.predict(geno, 0.01), path.intercept(0.01) + X @ path.coef(0.01), rtol=1e-12)


@pytest.mark.parametrize("id", ["rs1", "."])
def test_variants_listed_twice_are_found_again(tmp_path, capsys, id):
    """In the file of the fit, in a copy in another order, not where they are listed more often."""
    rng = np.random.default_rng(4)
    copies = rng.binomial(2, 0.4, (4, 60)).astype(float)
    copies[1, :5] = (copies[0, :5] + 1) % 3
    variants = [
        ("1", id, 100, "A", "G"),
        ("1", id, 100, "A", "G"),
        ("1", "rs2", 200, "C", "T"),
        ("2", "rs3", 5, "A", "C"),
    ]
    stem = write_bed(tmp_path / "t", variants, copies)
    y = copies[0] + 0.7 * copies[1] + 2 * copies[2]
    geno = riata.open_genotypes(stem)
    path = riata.fit_path(geno, y, alphas=[0.01])
    assert (path.coef(0.01)[:3] != 0).all()
    expected = path.intercept(0.01) + path.coef(0.01) @ copies
    assert_allclose(path.predict(geno, 0.01), expected, rtol=1e-12)
    order = [2, 0, 3, 1]
    moved = write_bed(tmp_path / "m", [variants[j] for j in order], copies[order])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", riata.VariantWarning)  # a variant without id is found by its place
        assert_allclose(path.predict(riata.open_genotypes(moved), 0.01), expected, rtol=1e-12)
    three = write_bed(tmp_path / "3", [*variants, variants[0]], np.vstack([copies, copies[:1]]))
    with pytest.raises(ValueError, match="with alleles A and G appears more than once"):
        path.predict(riata.open_genotypes(three), 0.01)
    one = riata.open_genotypes(write_bed(tmp_path / "1", variants[1:], copies[1:]))
    with pytest.warns(riata.VariantWarning, match="2 entries match a variant that another matches too"):
        found = path.predict(one, 0.01)
    both = path.intercept(0.01) + path.coef(0.01) @ copies[[1, 1, 2, 3]]
    assert_allclose(found, both, rtol=1e-12)
    rows = "".join(f"f{k} i{k} {value!r}\n" for k, value in enumerate(y.tolist()))
    (tmp_path / "y.txt").write_text("FID IID y\n" + rows)
    fit = ["fit", "--bfile", stem, "--pheno", tmp_path / "y.txt", "--alphas", "0.01", "--out", tmp_path / "m"]
    assert run(*fit, "--threads", 1) == 0
    assert "1 variant shares chromosome, position and alleles with an earlier one" in capsys.readouterr().out
    assert (
        run(
            "predict", "--model", tmp_path / "m.path.npz", "--bfile", stem, "--out", tmp_path / "p", "--quiet"
        )
        == 0
    )
    assert_allclose(
        np.array(read_tsv(tmp_path / "p.scores.tsv")["PREDICTION"], dtype=float), expected, rtol=1e-9
    )


def test_features_of_a_plain_table_are_not_matched(fitted, tmp_path):
    """A model of an array knows no alleles: genotypes are taken as they are, and that is told."""
    new = fitted[3]
    X = np.where(np.isnan(new.copies), 1.0, new.copies).T
    geno = riata.open_genotypes(write_bed(tmp_path / "g", new.variants, X.T))
    path, model = riata.fit_path(X, X[:, 0], alphas=[0.1]), riata.Lasso(0.1).fit(X, X[:, 0])
    for call, expected in (
        (lambda: path.predict(geno, 0.1), path.predict(X, 0.1)),
        (lambda: model.predict(geno), model.predict(X)),
    ):
        with pytest.warns(riata.VariantWarning, match="holds no alleles and positions"):
            assert_allclose(call(), expected, rtol=1e-12)
    with pytest.raises(TypeError, match="model must be fitted to genotypes"):
        riata.match_variants(path, geno)
    with pytest.raises(TypeError, match=r"genotypes must be riata\.Genotypes, got an object of type ndarray"):
        riata.match_variants(fitted[0], X)


def test_refits_need_the_same_alleles(fitted, tmp_path):
    """What is fitted to the data of a path once more is not matched, but checked."""
    new = fitted[3]
    geno = riata.open_genotypes(write_bed(tmp_path / "g", new.variants, new.copies))
    other = new.swapped(np.arange(24) == 5)
    swapped = riata.open_genotypes(write_bed(tmp_path / "s", other.variants, other.copies))
    y = np.random.default_rng(0).standard_normal(30)
    path = riata.fit_path(geno, y, alphas=5)
    riata.relax(path, geno, y)
    with pytest.raises(ValueError, match="must count the alleles that the fit counted, but it has allele"):
        riata.relax(path, swapped, y)


def test_rows_with_names_are_not_taken_by_position(fitted, tmp_path):
    new = fitted[3]
    geno = riata.open_genotypes(write_bed(tmp_path / "g", new.variants, new.copies))
    y = np.random.default_rng(0).standard_normal(30)
    plain = riata.fit_path(geno, y, alphas=[0.05]).coef(0.05)
    named = pd.Series(y, index=list(geno.samples.iid))
    pairs = pd.Series(y, index=pd.MultiIndex.from_arrays([list(geno.samples.fid), list(geno.samples.iid)]))
    for good in (named, pairs, pd.Series(y)):
        assert_allclose(riata.fit_path(geno, good, alphas=[0.05]).coef(0.05), plain)
    mixed = named.sample(frac=1.0, random_state=1)
    ones, zeros = pd.Series(1.0, index=mixed.index), pd.Series(0.0, index=mixed.index)
    families = pd.Series(np.arange(30) % 5, index=mixed.index)
    path = riata.fit_path(geno, y, alphas=[0.1])
    calls = {
        "y": [
            lambda: riata.fit_path(geno, mixed),
            lambda: riata.cv_path(geno, mixed),
            lambda: riata.constrained_lasso(geno, mixed, 1.0),
            lambda: riata.relax(riata.fit_path(geno, y), geno, mixed),
            lambda: riata.Lasso(0.1).fit(geno, mixed),
            lambda: riata.LassoCV().fit(geno, mixed),
            lambda: riata.MultiTaskLasso(0.1).fit(geno, mixed.to_frame()),
            lambda: riata.fit_path(geno, pairs.sample(frac=1.0, random_state=1)),
            lambda: riata.fit_path(geno, pd.Series(y, index=np.arange(30)[::-1])),
            lambda: riata.Lasso(0.1).fit(geno, y).score(geno, mixed),
            lambda: riata.SparseLogisticRegression().fit(geno, y > 0).score(geno, mixed > 0),
            lambda: riata.SparsePoissonRegressor().fit(geno, np.abs(y)).score(geno, mixed.abs()),
            lambda: riata.MultiTaskLasso(0.1).fit(geno, y[:, None]).score(geno, mixed.to_frame()),
        ],
        "sample_weight": [
            lambda: riata.Lasso(0.1).fit(geno, y).score(geno, y, ones),
            lambda: riata.fit_path(geno, y, sample_weight=ones),
            lambda: riata.Lasso().fit(geno, y, ones),
        ],
        "offset": [
            lambda: riata.fit_path(geno, y, offset=zeros),
            lambda: riata.fit_path(geno, y, alphas=[0.1]).predict(geno, 0.1, offset=zeros),
            lambda: path.predict(riata.match_variants(path, geno), 0.1, offset=zeros),
        ],
        r"ys\[1\]": [lambda: riata.fit_multi_path(geno, [named, mixed])],
        "groups": [
            lambda: riata.cv_path(geno, y, groups=families),
            lambda: riata.LassoCV().fit(geno, y, groups=families),
            lambda: riata.AdaptiveLassoCV().fit(geno, y, groups=families),
            lambda: riata.RelaxedLassoCV().fit(geno, y, groups=families),
            lambda: riata.SparseLogisticRegressionCV().fit(geno, y > 0, groups=families),
        ],
    }
    for name, each in calls.items():
        for call in each:
            with pytest.raises(
                ValueError, match=rf"^{name} must have the samples of X in the same order in its index"
            ):
                call()


def test_numbers_that_are_names_do_not_count_rows(tmp_path):
    copies = random_copies(8, 4, missing=0.0)
    rows = [("1", f"rs{j}", 10 + j, "A", "G") for j in range(4)]
    names = ["3", "0", "1", "2", "7", "6", "5", "4"]
    geno = riata.open_genotypes(write_bed(tmp_path / "g", rows, copies, names))
    y = pd.Series(np.arange(8.0))  # sorted by name
    with pytest.raises(ValueError, match=r"^y must have the samples of X .* got 0 in row 0 where X has '3'"):
        riata.fit_path(geno, y)
    riata.fit_path(geno, y.loc[[int(name) for name in names]])


def test_variants_of_a_budgeted_fit_are_matched(fitted, tmp_path):
    new = fitted[3]
    geno = riata.open_genotypes(write_bed(tmp_path / "g", new.variants, new.copies))
    y = np.random.default_rng(0).standard_normal(30)
    fit = riata.constrained_lasso(geno, y, 0.5)
    swapped = [(c, name, pos, b, a) for c, name, pos, a, b in new.variants]
    other = riata.open_genotypes(write_bed(tmp_path / "s", swapped, 2.0 - new.copies))
    matched = riata.match_variants(fit, other)
    assert matched.n_found == matched.n_wanted == np.count_nonzero(fit.coef) > 0
    assert_allclose(fit.predict(matched), fit.predict(geno), rtol=1e-12)


def test_matched_genotypes_are_for_predict(fitted, tmp_path):
    new = fitted[3]
    geno = riata.open_genotypes(write_bed(tmp_path / "g", new.variants, new.copies))
    y = np.random.default_rng(0).standard_normal(30)
    matched = riata.match_variants(riata.fit_path(geno, y), geno)
    table = np.asarray(np.nan_to_num(new.copies).T)
    for call in (
        lambda: riata.fit_path(matched, y),
        lambda: riata.Lasso().fit(matched, y),
        lambda: riata.fit_path(table, y).predict(matched, 0.1),
        lambda: riata.Lasso(0.1).fit(table, y).predict(matched),
    ):
        with pytest.raises(TypeError, match=r"^X has been matched to the variants of a model"):
            call()


def test_phenotypes_as_text_are_refused(tmp_path):
    """Those of a .fam are text, and -9 among them is no number."""
    rows = [("1", f"rs{j}", 10 + j, "A", "G") for j in range(4)]
    prefix = write_bed(tmp_path / "g", rows, random_copies(8, 4, missing=0.0))
    lines = [f"f{k} i{k} 0 0 1 {-9 if k == 3 else k / 2}\n" for k in range(8)]
    Path(f"{prefix}.fam").write_text("".join(lines))
    geno = riata.open_genotypes(prefix)
    text = geno.samples.phenotype
    series = pd.Series(list(text), index=list(geno.samples.iid), dtype=object)
    for y in (text, series):
        for call in (
            lambda y=y: riata.fit_path(geno, y),
            lambda y=y: riata.fit_path(geno, y, loss="poisson"),
            lambda y=y: riata.cv_path(geno, y),
            lambda y=y: riata.Lasso(0.1).fit(geno, y),
            lambda y=y: riata.SparsePoissonRegressor().fit(geno, y),
            lambda y=y: riata.MultiTaskLasso(0.1).fit(geno, np.column_stack([y, y])),
            lambda y=y: riata.SparseCox().fit(geno, np.column_stack([y, y])),
        ):
            with pytest.raises(TypeError, match=r"^y must hold numbers, got text '0.0' at position 0"):
                call()


class TestModelsOfEarlierVersions:
    """Archives that a riata without `RegularizationPath.variants` wrote."""

    def test_those_of_the_command_line_apply_as_they_did(self, tmp_path):
        tiny = DATA / "genotypes" / "tiny"
        expected = np.loadtxt(DATA / "earlier" / "command.predictions.txt")
        saved = DATA / "earlier" / "command.path.npz"
        assert run("predict", "--model", saved, "--bfile", tiny, "--out", tmp_path / "p", "--quiet") == 0
        found = np.array(read_tsv(tmp_path / "p.scores.tsv")["PREDICTION"], dtype=float)
        assert_allclose(found, expected, atol=1e-8)
        path = riata.load(saved)
        geno = riata.open_genotypes(tiny)
        assert_allclose(path.predict(geno, offset=np.zeros(46))[:, -1], expected, atol=1e-8)
        assert np.isnan(path.variants.sd).all()

    def test_those_of_python_say_what_they_lack(self):
        path = riata.load(DATA / "earlier" / "python.path.npz")
        assert path.variants is None
        geno = riata.open_genotypes(DATA / "genotypes" / "tiny")
        with pytest.warns(riata.VariantWarning, match="saved from Python by an earlier riata"):
            assert path.predict(geno, offset=np.zeros(46)).shape == (46, len(path))
