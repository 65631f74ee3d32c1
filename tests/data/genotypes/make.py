"""Makes the genotypes of the tests: `python make.py` beside this file. Simulated; the same bytes every time.

tiny.*   46 samples x 60 variants with missing calls; rs7 is monomorphic, rs9 has no call at all
new.*    17 further samples at the same variants in another order, every third with its alleles swapped
tiny.phe, tiny.cov   phenotypes and covariates, in another order, with missing values and strangers
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
CODE = {2: 0b00, -1: 0b01, 1: 0b10, 0: 0b11}  # copies of A1, -1 for missing


def write_bed(name, copies):
    """Write samples x variants copies of A1 as variant-major 2-bit codes."""
    n, p = copies.shape
    packed = bytearray(b"\x6c\x1b\x01")
    for j in range(p):
        for start in range(0, n, 4):
            byte = 0
            for k, value in enumerate(copies[start : start + 4, j]):
                byte |= CODE[int(value)] << (2 * k)
            packed.append(byte)
    (HERE / f"{name}.bed").write_bytes(bytes(packed))


def write_lines(name, rows):
    (HERE / name).write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))


def main():
    rng = np.random.default_rng(20240611)
    n, m, p = 46, 17, 60
    frequency = rng.uniform(0.15, 0.5, p)
    copies = rng.binomial(2, frequency, (n + m, p))
    truth = copies.copy()
    copies[rng.random(copies.shape) < 0.03] = -1
    copies[:, 6] = 0
    copies[:, 8] = -1
    chromosomes = np.repeat(["1", "2", "X"], [30, 20, 10])
    pairs = [("A", "G"), ("C", "T"), ("T", "C"), ("G", "A"), ("AT", "A"), ("C", "G")]
    variants = [
        (chromosomes[j], f"rs{j + 1}", 0, 1000 * (j + 1) + j % 7, *pairs[j % len(pairs)]) for j in range(p)
    ]
    samples = [(f"F{i // 2 + 1}", f"S{i + 1}", 0, 0, 1 + i % 2, -9) for i in range(n + m)]

    age, sex = rng.integers(30, 70, n + m), rng.integers(0, 2, n + m)
    height = (
        170.0
        + 4.0 * truth[:, 2]
        - 3.5 * truth[:, 14]
        + 3.0 * truth[:, 33]
        + 0.1 * (age - 50)
        + 5.0 * sex
        + rng.normal(0.0, 1.5, n + m)
    )
    risk = 1.6 * truth[:, 4] - 1.5 * truth[:, 40]
    case = (risk + rng.logistic(0.0, 0.7, n + m) > np.median(risk)).astype(int)

    write_bed("tiny", copies[:n])
    write_lines("tiny.bim", variants)
    write_lines("tiny.fam", samples[:n])
    order = rng.permutation(p)
    swapped = order % 3 == 0
    new = copies[n:][:, order]
    new[:, swapped] = np.where(new[:, swapped] < 0, -1, 2 - new[:, swapped])
    write_bed("new", new)
    rows = [variants[j] for j in order]
    write_lines("new.bim", [(*v[:4], v[5], v[4]) if s else v for v, s in zip(rows, swapped, strict=True)])
    write_lines("new.fam", samples[n:])

    people = list(rng.permutation(n + m))
    phenotypes = [("FID", "IID", "height", "disease", "code")]
    covariates = [("FID", "IID", "age", "sex", "batch")]
    for i in people:
        fid, iid = samples[i][:2]
        tall = "NA" if i in (3, 11) else -9 if i == 20 else f"{height[i]:.3f}"
        if i != 5:
            phenotypes.append((fid, iid, tall, 1 + case[i], case[i]))
        covariates.append((fid, iid, "NA" if i == 8 else age[i], sex[i], 1))
    phenotypes += [("F900", "S900", 181.0, 1, 0), ("F901", "S901", 165.5, 2, 1)]
    write_lines("tiny.phe", phenotypes)
    write_lines("tiny.cov", covariates)


if __name__ == "__main__":
    main()
