"""Genotypes and their variants: readers, chromosomes, quality, alleles, score files, simulation."""
