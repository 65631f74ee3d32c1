"""PLINK 1.9 and 2 as referees of counts, frequencies, scores and the lasso; skipped where not installed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from genotype_files import write_bed, write_pgen
from numpy.testing import assert_allclose, assert_array_equal
from support import SHARED, write_plink

import riata
from riata.cli.parser import main
from riata.genetics.chromosomes import SPECIES

TINY = Path(__file__).parents[2] / "data" / "genotypes" / "tiny"
REAL = ("hapmap60", "some_missing", "mouse_hs", "regenie_example", "bigsnpr_example")
FOUND = [name for name in REAL if (SHARED / f"{name}.bed").exists()]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("simulated") / "s"
    riata.simulate_genotypes(prefix, 203, 1_000, n_chromosomes=3, missing=0.05, h2=0.8, n_causal=10, seed=1)
    return prefix


@pytest.fixture(params=["tiny", "simulated", *FOUND])
def prefix(request):
    """A fileset of each kind: with gaps, without calls, made up, and real where it lies beside us."""
    if request.param == "tiny":
        return TINY
    if request.param == "simulated":
        return request.getfixturevalue("simulated")
    return SHARED / request.param


def table(path):
    """A PLINK report, as arrays of str by column name."""
    header, *rows = (line.split() for line in Path(path).read_text().splitlines())
    return {name.lstrip("#"): np.array([row[k] for row in rows]) for k, name in enumerate(header)}


def autosomal(geno):
    """Variants where PLINK counts two alleles in everybody; riata counts the codes of the file everywhere."""
    return ~np.isin(np.asarray(geno.variants.chrom, dtype=str), ["23", "X"])


def some_fit(geno, seed=0):
    """A path on a response that a few variants explain, and one of its alphas."""
    rng = np.random.default_rng(seed)
    X = geno.to_numpy(np.flatnonzero(~geno.monomorphic() & autosomal(geno))[:200:20])
    y = np.where(np.isnan(X), 0.0, X) @ rng.standard_normal(X.shape[1]) + rng.standard_normal(len(X))
    path = riata.fit_path(geno, y, alphas=10, eps=0.3, exclude=~autosomal(geno))
    return path, path.alphas[-1]


def write_weights(file, geno, coef):
    """Write id, effect allele and weight of the variants with nonzero weight."""
    used = np.flatnonzero(coef)
    rows = zip(geno.variants.id[used], geno.effect_allele[used], coef[used].tolist(), strict=True)
    file.write_text("".join(f"{name}\t{allele}\t{value!r}\n" for name, allele, value in rows))
    return file


def assert_same_score(ours, report):
    """Compare with the sums that PLINK 2 reports to six digits."""
    theirs = table(report)["SCORE1_SUM"].astype(float)
    assert_allclose(ours, theirs, rtol=5e-6, atol=5e-6 * np.abs(theirs).max())


def test_counts_and_frequencies(prefix, tmp_path, plink1, plink2):
    geno = riata.open_genotypes(prefix)
    counts, frequency = geno.counts()[autosomal(geno)], geno.allele_frequency()[autosomal(geno)]
    plink1("--bfile", prefix, "--freq", "counts", "--nonfounders", "--keep-allele-order", "--autosome")
    one = table(tmp_path / "out.frq.counts")
    assert_array_equal(one["SNP"], np.asarray(geno.variants.id, dtype=str)[autosomal(geno)])
    assert_array_equal(one["C1"].astype(int), counts[:, 1] + 2 * counts[:, 2])
    assert_array_equal(one["C2"].astype(int), counts[:, 1] + 2 * counts[:, 0])
    assert_array_equal(one["G0"].astype(int), counts[:, 3])

    plink2("--bfile", prefix, "--geno-counts", "--freq", "--nonfounders", "--autosome")
    two = table(tmp_path / "out.gcount")
    names = ("HOM_REF_CT", "HET_REF_ALT_CTS", "TWO_ALT_GENO_CTS", "MISSING_CT")
    assert_array_equal(np.column_stack([two[name].astype(int) for name in names]), counts)
    theirs = table(tmp_path / "out.afreq")["ALT_FREQS"].astype(float)  # to six digits
    assert_allclose(frequency, theirs, rtol=5e-6)


def test_counting_the_other_allele(simulated, tmp_path, plink1):
    geno = riata.open_genotypes(simulated, counted_allele="A2")
    plink1("--bfile", simulated, "--freq", "--nonfounders", "--keep-allele-order")
    maf = table(tmp_path / "out.frq")["MAF"].astype(float)  # of A1, to four digits
    assert_allclose(1.0 - geno.allele_frequency(), maf, atol=5e-5, rtol=5e-4)


def test_missing_rate(prefix, tmp_path, plink1):
    geno = riata.open_genotypes(prefix)
    plink1("--bfile", prefix, "--missing")
    report = table(tmp_path / "out.lmiss")
    assert_array_equal(report["N_MISS"].astype(int), geno.counts()[:, 3])
    assert_allclose(geno.missing_rate(), report["F_MISS"].astype(float), atol=5e-5, rtol=5e-4)


def test_hardy_weinberg(prefix, tmp_path, plink1):
    """On X over the women alone; PLINK also counts samples of unknown sex."""
    geno = riata.open_genotypes(prefix)
    plink1("--bfile", prefix, "--hardy", "--nonfounders")
    report = table(tmp_path / "out.hwe")
    whole = np.char.startswith(report["TEST"], "ALL")  # not cases or controls alone
    tested = {name: float(p) for name, p in zip(report["SNP"][whole], report["P"][whole], strict=True)}
    ours = geno.qc()["hwe_p"]
    theirs = np.array([tested[str(name)] for name in geno.variants.id])  # to four digits
    women = np.asarray(geno.samples.sex, dtype=str) == "2"
    untested = (geno.missing_rate() == 1.0) | (~autosomal(geno) & ~women.any())
    assert_array_equal(np.isnan(ours), untested)
    assert_allclose(ours[~untested], theirs[~untested], rtol=5e-4)


def test_counts_of_some_samples(simulated, tmp_path, plink2):
    geno = riata.open_genotypes(simulated)
    rows = np.random.default_rng(3).permutation(203)[:77]
    keep = tmp_path / "keep.txt"
    keep.write_text("".join(f"{geno.samples.fid[i]} {geno.samples.iid[i]}\n" for i in rows))
    plink2("--bfile", simulated, "--keep", keep, "--geno-counts", "--nonfounders")
    report = table(tmp_path / "out.gcount")
    counts = geno.subset(samples=rows).counts()
    assert_array_equal(report["TWO_ALT_GENO_CTS"].astype(int), counts[:, 2])
    assert_array_equal(report["MISSING_CT"].astype(int), counts[:, 3])


@pytest.mark.parametrize("counted", ["A1", "A2"])
@pytest.mark.parametrize("imputed", [True, False], ids=["mean", "no-mean"])
def test_score_is_predict(prefix, tmp_path, plink2, imputed, counted):
    geno = riata.open_genotypes(prefix, counted_allele=counted)
    path, alpha = some_fit(geno)
    coef = path.coefs.toarray()[:, -1]
    chosen = np.flatnonzero(coef)
    assert len(chosen) > 3
    weights = write_weights(tmp_path / "weights.txt", geno, coef)
    modifiers = ["cols=+scoresums", *([] if imputed else ["no-mean-imputation"])]
    plink2("--bfile", prefix, "--score", weights, 1, 2, 3, *modifiers, "--nonfounders", "--bad-freqs")
    X = geno if imputed else np.nan_to_num(geno.to_numpy())
    assert_same_score(path.predict(X, alpha) - path.intercepts[-1], tmp_path / "out.sscore")


def test_score_of_newcomers_is_riata_predict(simulated, tmp_path, plink1, plink2):
    """The new files name every second variant's alleles the other way round."""
    geno = riata.open_genotypes(simulated)
    model, new, old, swapped = (tmp_path / name for name in ("model", "new", "old.txt", "swapped.txt"))
    old.write_text("".join(f"s{i} s{i}\n" for i in range(1, 121)))
    names = zip(geno.variants.id[::2], geno.variants.a2[::2], strict=True)
    swapped.write_text("".join(f"{name} {allele}\n" for name, allele in names))
    plink1("--bfile", simulated, "--remove", old, "--a1-allele", swapped, 2, 1, "--make-bed")
    for suffix in ("bed", "bim", "fam"):
        (tmp_path / f"out.{suffix}").rename(f"{new}.{suffix}")

    fit = ["fit", "--bfile", simulated, "--keep", old, "--eps", "0.3", "--out", model, "--quiet"]
    assert main([str(word) for word in fit]) == 0
    predict = ["predict", "--model", f"{model}.path.npz", "--bfile", new, "--out", new, "--quiet"]
    assert main([str(word) for word in predict]) == 0

    path = riata.load(f"{model}.path.npz")
    coef = path.coefs.toarray()[:, -1]
    assert set(np.flatnonzero(coef) % 2) == {0, 1}
    weights = write_weights(tmp_path / "weights.txt", geno, coef)
    plink2("--bfile", simulated, "--keep", old, "--freq", "--nonfounders")
    frequencies = (tmp_path / "out.afreq").rename(
        tmp_path / "old.afreq"
    )  # missing calls are set to their means
    plink2("--bfile", new, "--score", weights, 1, 2, 3, "cols=+scoresums", "--read-freq", frequencies)
    ours = table(f"{new}.scores.tsv")["PREDICTION"].astype(float)
    assert_same_score(ours - path.intercepts[-1], tmp_path / "out.sscore")


@pytest.mark.parametrize("share", [0.6, 0.3, 0.1])
def test_lasso_agrees_at_the_same_penalty(tmp_path, plink1, share):
    """PLINK standardises genotypes and phenotype by 1/n, minimises what riata does and prints its lambda.

    It stops early, so what it finds is near the optimum only: the largest distance of its gradient from the
    penalty says how near, and the objective which of the two is lower.
    """
    prefix = tmp_path / "s"
    riata.simulate_genotypes(prefix, 400, 500, n_chromosomes=2, missing=0.0, h2=0.7, n_causal=8, seed=7)
    geno = riata.open_genotypes(prefix)
    y = np.asarray(geno.samples.phenotype, dtype=float)
    y = (y - y.mean()) / y.std()
    wanted = share * riata.fit_path(geno, y, alphas=1).alpha_max
    said = plink1("--bfile", prefix, "--keep-allele-order", "--lasso", 0.5, f"{wanted:.6g}", "--seed", 1)
    assert "--lasso report written" in said
    report = table(tmp_path / "out.lasso")

    X = geno.to_numpy()
    deviation = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / deviation
    places = {name: k for k, name in enumerate(geno.variants.id)}
    rows = np.array([places[name] for name in report["SNP"]])
    assert_array_equal(report["A1"], np.asarray(geno.variants.a1)[rows].astype(str))
    theirs = np.zeros(len(deviation))
    theirs[rows] = report["EFFECT"].astype(float)
    pull = Z.T @ (y - Z @ theirs) / len(y)
    active = theirs != 0.0
    alpha = float(np.mean(pull[active] * np.sign(theirs[active])))
    assert alpha == pytest.approx(wanted, rel=5e-3)

    path = riata.fit_path(geno, y, alphas=[wanted], tol=1e-10)
    ours = path.coefs.toarray()[:, 0] * deviation

    def objective(coef):
        return np.mean((y - Z @ coef) ** 2) / 2 + wanted * np.abs(coef).sum()

    assert objective(ours) <= objective(theirs) + 1e-12
    assert objective(ours) == pytest.approx(objective(theirs), rel=1e-4)
    assert_allclose(ours, theirs, atol=0.02 * np.abs(ours).max())
    differ = (ours != 0.0) != active
    assert np.all(np.abs(ours - theirs)[differ] < 0.01 * np.abs(ours).max())
    assert differ.sum() <= 0.1 * active.sum() + 1


@pytest.fixture(params=["bed", "pgen", "dosages"])
def by_sex(request, tmp_path, plink2):
    """Genotypes on every kind of chromosome, of men, women and others, some with no call by sex."""
    rng = np.random.default_rng(11)
    names = [name for name in ("1", "chr02", "23", "X", "24", "Y", "25", "26", "0") for _ in range(4)]
    copies = rng.choice([0.0, 1.0, 2.0, np.nan], size=(60, len(names)), p=[0.4, 0.25, 0.2, 0.15])
    sex = rng.permutation([1] * 25 + [2] * 25 + [0] * 10)
    copies[sex == 1, 18] = np.nan  # no man has a call on Y
    copies[sex != 2, 13] = np.nan  # women alone on X
    bed = write_plink(tmp_path / "in", copies, chrom=names, sex=sex)
    if request.param == "bed":
        return bed
    prefix = tmp_path / "in"
    if request.param == "dosages":
        values = np.where(
            np.isnan(copies), copies, np.clip(copies + rng.uniform(-0.3, 0.3, copies.shape), 0, 2)
        )
        write_pgen(tmp_path / "d", np.round(values.T * 16384) / 16384, dosages=True)
        shutil.copy(tmp_path / "d.pgen", tmp_path / "in.pgen")
        plink2("--bfile", prefix, "--make-just-pvar", "--make-just-psam")
    else:
        plink2("--bfile", prefix, "--make-pgen")
        (tmp_path / "out.pgen").rename(tmp_path / "in.pgen")
    for suffix in ("pvar", "psam"):
        (tmp_path / f"out.{suffix}").rename(tmp_path / f"in.{suffix}")
    return f"{prefix}.pgen"


def fileset(path):
    """The options of PLINK, and of riata, that name a fileset."""
    return ["--bfile" if path.endswith(".bed") else "--pfile", path.rsplit(".", 1)[0]]


def test_frequencies_and_missing_calls_by_sex(by_sex, tmp_path, plink2):
    """A dosage is a call, however uncertain."""
    geno = riata.open_genotypes(by_sex)
    plink2(*fileset(by_sex), "--freq", "--missing", "variant-only", "vcols=+fmissdosage", "--nonfounders")
    frequency = table(tmp_path / "out.afreq")["ALT_FREQS"].astype(float)
    missing = table(tmp_path / "out.vmiss")["F_MISS_DOSAGE"].astype(float)
    assert np.isnan(frequency).sum() == 1
    qc = geno.qc()
    assert_allclose(qc.frequency, frequency, rtol=5e-6, atol=1e-9)
    assert_allclose(geno.sex_aware_frequency(), frequency, rtol=5e-6, atol=1e-9)
    assert_allclose(qc.missing_rate, missing, rtol=5e-6, atol=1e-9)
    assert_allclose(geno.missing_rate(), missing, rtol=5e-6, atol=1e-9)


def test_sexes_in_a_fam_are_those_of_plink2(tmp_path, plink2):
    """Letters as well as numbers, as in a .psam."""
    copies = np.random.default_rng(2).choice([0.0, 1.0, 2.0, np.nan], size=(60, 6))
    bed = write_plink(tmp_path / "in", copies, chrom=["X", "X", "X", "Y", "Y", "Y"])
    codes = ["1", "2", "M", "F", "m", "f", "0", "NA", "-9", "3"]
    lines = [f"f{i} i{i} 0 0 {codes[i % 10]} -9\n" for i in range(60)]
    (tmp_path / "in.fam").write_text("".join(lines))
    plink2("--bfile", tmp_path / "in", "--freq")
    geno = riata.open_genotypes(bed)
    assert list(geno.samples.sex[:10]) == ["1", "2", "1", "2", "1", "2", "0", "0", "0", "0"]
    frequency = table(tmp_path / "out.afreq")["ALT_FREQS"].astype(float)
    assert_allclose(geno.sex_aware_frequency(), frequency, rtol=5e-6)


def test_children_count_and_are_told(tmp_path, plink2):
    copies = np.random.default_rng(3).binomial(2, 0.2, (60, 40)).astype(float)
    write_plink(tmp_path / "in", copies)
    fam = tmp_path / "in.fam"
    parents = ["0 0"] * 30 + ["i0 i1"] * 25 + ["i0 0"] * 5
    fam.write_text("".join(f"f{i} i{i} {parents[i]} 1 {i % 7}.5\n" for i in range(60)))
    plink2("--bfile", tmp_path / "in", "--maf", 0.2, "--write-snplist", "--nonfounders")
    arguments = ["--bfile", tmp_path / "in", "--maf", 0.2, "--alphas", 2, "--quiet", "--out", tmp_path / "m"]
    assert main(["fit", *map(str, arguments)]) == 0
    kept = (tmp_path / "out.snplist").read_text().split()
    assert len(table(tmp_path / "m.excluded.tsv")["ID"]) == 40 - len(kept) > 5
    told = "note: --maf: 30 samples have parents: they count too, as in PLINK with --nonfounders"
    assert told in (tmp_path / "m.log").read_text()


@pytest.mark.parametrize(
    ("flag", "value"), [("--maf", 0.3), ("--maf", 0.42), ("--geno", 0.15), ("--geno", 0.2)]
)
def test_filters_by_sex(by_sex, tmp_path, plink2, flag, value):
    by_dosage = ["dosage"] if flag == "--geno" else []
    plink2(*fileset(by_sex), flag, value, *by_dosage, "--write-snplist", "--nonfounders")
    kept = (tmp_path / "out.snplist").read_text().split()
    pheno = tmp_path / "y.txt"
    pheno.write_text("FID IID y\n" + "".join(f"f{i} i{i} {i % 7}\n" for i in range(60)))
    fit = [
        "fit",
        *fileset(by_sex),
        "--pheno",
        pheno,
        flag,
        value,
        "--alphas",
        2,
        "--out",
        tmp_path / "m",
        "--quiet",
    ]
    assert main([str(word) for word in fit]) == 0
    excluded = table(tmp_path / "m.excluded.tsv")["ID"].tolist()
    assert 0 < len(excluded) < 36
    assert set(kept) | set(excluded) == {f"rs{j}" for j in range(36)}
    assert not set(kept) & set(excluded)


@pytest.mark.parametrize("species", ["cow", "dog", "mouse", "sheep", "rice"])
def test_chromosomes_of_a_species(tmp_path, plink2, species):
    """What its numbers mean, tested by what PLINK makes of them."""
    known = SPECIES[species]
    last = known.autosomes
    names = [str(last), *([] if known.haploid else [str(last + 1), str(last + 2)])]
    rng = np.random.default_rng(3)
    copies = rng.choice([0.0, 1.0, 2.0, np.nan], size=(80, len(names)), p=[0.4, 0.25, 0.25, 0.1])
    sex = rng.permutation([1, 2] * 40)
    bed = write_plink(tmp_path / "in", copies, chrom=names, sex=sex)
    geno = riata.open_genotypes(bed, chr_set=species)
    plink2("--bfile", tmp_path / "in", f"--{species}", "--freq", "--missing", "variant-only", "--nonfounders")
    assert_allclose(geno.qc().frequency, table(tmp_path / "out.afreq")["ALT_FREQS"].astype(float), rtol=5e-6)
    assert_allclose(geno.qc().missing_rate, table(tmp_path / "out.vmiss")["F_MISS"].astype(float), rtol=5e-6)
    tested = [] if known.haploid else [names[0]]
    if tested:
        plink2("--bfile", tmp_path / "in", f"--{species}", "--hardy", "--nonfounders")
        report = table(tmp_path / "out.hardy")
        assert report["CHROM"].tolist() == tested
        assert_allclose(geno.qc().hwe_p[0], float(report["P"][0]), rtol=5e-6)
    assert np.isnan(geno.qc().hwe_p).tolist() == [known.haploid, *[False, True][: len(names) - 1]]


def test_variants_that_are_switched_off(tmp_path, plink1, plink2):
    pos = [100, -5, 0, 300, -1, 7]
    bed = write_plink(tmp_path / "in", np.ones((9, 6)), chrom=["1", "1", "1", "2", "2", "0"], pos=pos)
    ours = list(riata.open_genotypes(bed).variants.id)
    for plink in (plink1, plink2):
        plink("--bfile", tmp_path / "in", "--write-snplist")
        assert (tmp_path / "out.snplist").read_text().split() == ours


@pytest.mark.parametrize("mode", ["", "dominant", "recessive"])
def test_scores_of_one_or_two_copies(tmp_path, plink2, mode):
    """Missing calls stand between no and two copies, as the frequency does."""
    rng = np.random.default_rng(1)
    copies = rng.integers(0, 3, (30, 60)).astype(float)
    copies[rng.random(copies.shape) < 0.1] = np.nan
    variants = [("1", f"rs{j}", 100 + j, "A", "G") for j in range(30)]
    stem = write_bed(tmp_path / "g", variants, copies)
    weight, effect = rng.standard_normal(30).tolist(), rng.choice(["A", "G"], 30)
    flags = f"{mode == 'recessive'}\t{mode == 'dominant'}"
    header = "ID\teffect_allele\teffect_weight\tis_recessive\tis_dominant\n"
    rows = [f"rs{j}\t{effect[j]}\t{weight[j]!r}\t{flags}\n" for j in range(30)]
    (tmp_path / "s.txt").write_text(header + "".join(rows))
    modifier = [mode] if mode else []
    plink2("--bfile", stem, "--score", tmp_path / "s.txt", 1, 2, 3, "header", *modifier, "cols=+scoresums")
    expected = table(tmp_path / "out.sscore")["SCORE1_SUM"].astype(float)
    command = [
        "predict",
        "--weights",
        tmp_path / "s.txt",
        "--bfile",
        stem,
        "--out",
        tmp_path / "r",
        "--quiet",
    ]
    assert main([str(word) for word in command]) == 0
    found = np.array(
        [line.split("\t")[3] for line in (tmp_path / "r.scores.tsv").read_text().splitlines()[1:]]
    )
    assert_allclose(found.astype(float), expected, rtol=1e-5, atol=1e-5)


def test_missing_calls_on_x_stand_at_its_frequency(tmp_path, plink2):
    """A man has one allele there, which weighs half as much as a woman's two; of several alleles, too."""
    rng = np.random.default_rng(5)
    names = [f"i{i}" for i in range(60)]
    header = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
    lines = ["##fileformat=VCFv4.2", header + "\t".join(names)]
    for j in range(12):
        n_alleles, alt = (3, "G,T") if j % 3 == 0 else (2, "G")
        calls = rng.integers(0, n_alleles, (60, 2))
        calls[:30] = calls[:30].max(axis=1, keepdims=True)  # men have one, and more of ALT
        cells = [f"{a}/{b}" if rng.random() > 0.2 else "./." for a, b in calls]
        place = ["X" if j < 9 else "1", str(5000000 + j), f"rs{j}"]
        lines.append("\t".join([*place, "A", alt, ".", ".", ".", "GT", *cells]))
    (tmp_path / "in.vcf").write_text("\n".join(lines) + "\n")
    sexes = "".join(f"{name}\t{1 + (i >= 30)}\n" for i, name in enumerate(names))
    (tmp_path / "sex.txt").write_text("#IID\tSEX\n" + sexes)
    plink2("--vcf", tmp_path / "in.vcf", "--update-sex", tmp_path / "sex.txt", "--make-pgen")
    for suffix in ("pgen", "pvar", "psam"):
        (tmp_path / f"out.{suffix}").rename(tmp_path / f"x.{suffix}")
    effect = ["T" if j % 3 == 0 else "GA"[j % 2] for j in range(12)]
    rows = [f"rs{j}\t{effect[j]}\t{1 + j / 7!r}\n" for j in range(12)]
    (tmp_path / "s.txt").write_text("ID\tA1\tBETA\n" + "".join(rows))
    stem = tmp_path / "x"
    plink2("--pfile", stem, "--score", tmp_path / "s.txt", 1, 2, 3, "header", "cols=+scoresums")
    expected = table(tmp_path / "out.sscore")["SCORE1_SUM"].astype(float)
    words = ["--weights", tmp_path / "s.txt", "--pfile", stem, "--out", tmp_path / "r", "--quiet"]
    assert main(["predict", *map(str, words)]) == 0
    found = table(tmp_path / "r.scores.tsv")["SCORE"].astype(float)
    assert_allclose(found, expected, rtol=1e-5)
