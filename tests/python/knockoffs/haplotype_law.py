"""Chains of haplotype clusters written out over all their paths, for tests of what the library computes."""

import itertools

import numpy as np
from scipy import stats


def random_chain(rng, p, K, least=0.05):
    """(stay, landing, allele) of p variants and K clusters."""
    stay = rng.uniform(0.2, 0.9, p)
    stay[0] = 0.0
    landing = rng.dirichlet(np.ones(K), p)
    return stay, landing, rng.uniform(least, 1.0 - least, (p, K))


def step(chain, j):
    """Q_j: rows are clusters of the variant before."""
    stay, landing, _ = chain
    return stay[j] * np.eye(landing.shape[1]) + (1.0 - stay[j]) * landing[j]


def prior(chain, path):
    """Probability of a path of clusters."""
    out = chain[1][0][path[0]]
    for j in range(1, len(path)):
        out *= step(chain, j)[path[j - 1], path[j]]
    return out


def law_of_knockoff(chain, ends, path, knockoff):
    """P(knockoff path | path), from the recursion over groups of Sesia et al. (2019, 2020), in full sums."""
    p, K = chain[1].shape
    out, N, first = 1.0, None, 0
    for end in ends:
        if first == 0:
            v = [chain[1][0].copy()]
        else:
            Q = step(chain, first)
            v = [Q[path[first - 1]] * Q[knockoff[first - 1]] / N]
        for j in range(first + 1, end):
            v.append(step(chain, j).T @ v[-1])
        after = step(chain, end)[:, path[end]] if end < p else np.ones(K)
        for j in range(end - 1, first - 1, -1):
            weights = v[j - first] * after
            out *= weights[knockoff[j]] / weights.sum()
            after = step(chain, j)[:, knockoff[j]] if j > first else None
        if end < p:
            N = step(chain, end).T @ v[-1]
        first = end
    return out


def joint(chain, ends, law=law_of_knockoff):
    """All paths, and P(path, knockoff path) over pairs of them."""
    p, K = chain[1].shape
    paths = list(itertools.product(range(K), repeat=p))
    table = np.array([[prior(chain, z) * law(chain, ends, z, other) for other in paths] for z in paths])
    return paths, table


def swapped(paths, table, start, end):
    """The joint law when the clusters of variants start .. end - 1 change places."""
    number = {path: k for k, path in enumerate(paths)}
    out = np.empty_like(table)
    for a, z in enumerate(paths):
        for b, other in enumerate(paths):
            one = number[z[:start] + other[start:end] + z[end:]]
            two = number[other[:start] + z[start:end] + other[end:]]
            out[a, b] = table[one, two]
    return out


def emission(theta, genotype):
    """P(genotype | clusters of both haplotypes), (K, K); -1 is a missing call."""
    lack = 1.0 - theta
    if genotype == 0:
        return np.outer(lack, lack)
    if genotype == 1:
        return np.outer(theta, lack) + np.outer(lack, theta)
    return np.outer(theta, theta) if genotype == 2 else np.ones((len(theta),) * 2)


def law_of_genotypes(chain, ends):
    """P(genotypes of three variants, those of their knockoffs), both in the order of 9 g_1 + 3 g_2 + g_3."""
    paths, table = joint(chain, ends)
    read = np.zeros((27, len(paths), len(paths)))  # P(genotypes | paths of both haplotypes)
    for g in range(27):
        genotype = (g // 9, g // 3 % 3, g % 3)
        for a, one in enumerate(paths):
            for c, two in enumerate(paths):
                read[g, a, c] = np.prod(
                    [emission(chain[2][j], genotype[j])[one[j], two[j]] for j in range(3)]
                )
    return np.einsum("gac,hbd,ab,cd->gh", read, read, table, table, optimize=True)


def p_value(seen, law):
    """Of counts, by Pearson's test, where those that are rare are one cell."""
    expected = seen.sum() * law
    large = expected > 5
    statistic = ((seen - expected)[large] ** 2 / expected[large]).sum()
    statistic += (seen[~large].sum() - expected[~large].sum()) ** 2 / max(expected[~large].sum(), 1e-9)
    return stats.chi2.sf(statistic, large.sum())


def log_likelihood(chain, genotypes):
    """Of genotypes (samples, variants), over ordered pairs of clusters."""
    total = 0.0
    for sample in genotypes:
        f = np.outer(chain[1][0], chain[1][0])
        for j, genotype in enumerate(sample):
            if j > 0:
                f = step(chain, j).T @ f @ step(chain, j)
            f = f * emission(chain[2][j], genotype)
            total += np.log(f.sum())
            f /= f.sum()
    return total


def simulate(rng, chain, n):
    """Genotypes of n samples, (n, p)."""
    return simulate_haplotypes(rng, chain, n).sum(axis=0)


def simulate_haplotypes(rng, chain, n):
    """Both haplotypes of n samples, (2, n, p)."""
    p, K = chain[1].shape
    out = np.zeros((2, n, p), dtype=np.int64)
    for haplotype in out:
        z = np.zeros(n, dtype=np.int64)
        for j in range(p):
            landed = np.minimum((rng.random((n, 1)) > np.cumsum(chain[1][j])).sum(axis=1), K - 1)
            z = np.where(rng.random(n) < chain[0][j], z, landed)
            haplotype[:, j] = rng.random(n) < chain[2][j][z]
    return out


def words_of(genotypes):
    """Genotypes (samples, variants), -1 where missing, as words of 16 samples in PLINK's codes."""
    n, p = genotypes.shape
    codes = np.ones((-(-n // 16) * 16, p), dtype=np.uint32)
    codes[:n] = np.array([3, 2, 0, 1], dtype=np.uint32)[genotypes]
    words = np.zeros((len(codes) // 16, p), dtype=np.uint32)
    for i in range(16):
        words |= codes[i::16] << np.uint32(2 * i)
    return words


def genotypes_of(words, n):
    """The other way round."""
    codes = np.stack([words >> np.uint32(2 * i) & 3 for i in range(16)], axis=1).reshape(-1, words.shape[1])
    return np.array([2, -1, 1, 0])[codes[:n]]
