"""``riata simulate``: genotypes and a phenotype made up, as PLINK files."""

from __future__ import annotations

from riata._io.wording import counted
from riata.cli.options import SimulateOptions
from riata.genetics.simulate import simulate_genotypes


def run_simulate(options: SimulateOptions) -> int:
    """Simulate as the command line asks."""
    bed = simulate_genotypes(
        options.out,
        options.samples,
        options.variants,
        n_chromosomes=options.chromosomes,
        maf_min=options.maf_min,
        missing=options.missing,
        ld=options.ld,
        block=options.block,
        h2=options.h2,
        n_causal=options.causal,
        loss=options.loss,
        prevalence=options.prevalence,
        seed=options.seed,
    )
    if not options.quiet:
        print(
            f"{bed} and its .bim and .fam: {counted(options.samples, 'sample')} x "
            f"{counted(options.variants, 'variant')}\n"
            f"{options.out}.pheno.txt: the phenotype; {options.out}.truth.tsv: the causal variants"
        )
    return 0
