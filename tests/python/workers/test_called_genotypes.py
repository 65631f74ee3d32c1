"""Calls as sgkit and VCF Zarr have them, held by workers: the same fits as of a ``.bed`` with these."""

import numpy as np
import pytest
from held_columns import assert_same_path

import riata

dask_array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")
doors = pytest.importorskip("riata.distributed.doors")
xarray = pytest.importorskip("xarray")

N, P = 90, 400


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    prefix = riata.simulate_genotypes(str(tmp_path_factory.mktemp("bed") / "study"), N, P, seed=4)
    return riata.open_genotypes(prefix)


def alleles_of(geno):
    """Alleles called, variants x samples x 2, ALT (a1) first in half of the heterozygous calls."""
    copies = geno.to_numpy().T
    rng = np.random.default_rng(0)
    first = np.where(copies == 2, 1, 0) + np.where(copies == 1, rng.integers(0, 2, copies.shape), 0)
    calls = np.stack([first, np.nan_to_num(copies) - first], axis=2).astype(np.int8)
    calls[np.isnan(copies)] = -1
    return calls


def dataset_of(geno, calls=None, chunks=(70, 32, 2), mask=None):
    calls = alleles_of(geno) if calls is None else calls
    names, codes = np.unique(np.asarray(geno.variants.chrom).astype(str), return_inverse=True)
    dimensions = ("variants", "samples", "ploidy")
    fields = {
        "call_genotype": (
            dimensions,
            calls if chunks is None else dask_array.from_array(calls, chunks=chunks),
        ),
        "call_genotype_mask": (dimensions, calls < 0 if mask is None else mask),
        "contig_id": ("contigs", names),
        "variant_contig": ("variants", codes),
        "variant_position": ("variants", np.asarray(geno.variants.pos)),
        "variant_id": ("variants", np.asarray(geno.variants.id).astype(str)),
        "variant_allele": (
            ("variants", "alleles"),
            np.stack([np.asarray(geno.variants[name]).astype(str) for name in ("a2", "a1")], axis=1),
        ),
        "sample_id": ("samples", np.asarray(geno.samples.iid).astype(str)),
    }
    return xarray.Dataset(fields)


@pytest.mark.parametrize("chunks", [(70, 32, 2), (400, 90, 2), (33, 45, 1), None])
def test_calls_give_the_path_of_the_bed(cluster_client, bed, chunks):
    held = riata.distributed.from_sgkit(dataset_of(bed, chunks=chunks), cluster_client)
    y = np.random.default_rng(5).standard_normal(N)
    assert_same_path(riata.fit_path(held, y, alphas=10), riata.fit_path(bed, y, alphas=10))
    assert np.array_equal(held.counts(), bed.counts())


def test_tables_and_subsets_are_those_of_the_bed(cluster_client, bed):
    held = riata.distributed.from_sgkit(dataset_of(bed), cluster_client)
    for name in ("chrom", "id", "pos", "a1", "a2"):
        assert list(held.variants[name]) == list(bed.variants[name])
    assert list(held.samples.iid) == list(bed.samples.iid)
    some = {"samples": np.arange(70), "variants": np.arange(3, 390, 2)}
    there, here = held.subset(**some), bed.subset(**some)
    y = np.random.default_rng(5).standard_normal(70)
    found, expected = (riata.cv_path(one, y, alphas=8, cv=3) for one in (there, here))
    assert_same_path(found.path, expected.path)
    assert np.array_equal(there.counts(), here.counts())
    assert np.array_equal(there.to_numpy(), here.to_numpy(), equal_nan=True)
    assert np.array_equal(found.path.predict(there), expected.path.predict(here))
    other = riata.distributed.from_sgkit(dataset_of(bed), cluster_client, counted_allele="REF")
    assert np.array_equal(
        other.allele_frequency(), riata.open_genotypes(bed.path, counted_allele="A2").allele_frequency()
    )


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_stores_of_zarr(cluster_client, bed, tmp_path, zarr_format):
    pytest.importorskip("zarr")
    dataset = dataset_of(bed)
    dataset["call_genotype"] = dataset.call_genotype.chunk(variants=64, samples=40)
    for name in [name for name in dataset if dataset[name].dtype.kind == "U"]:
        dataset[name] = dataset[name].astype(object)  # format 3 has no texts of one length
    path = tmp_path / "study.zarr"
    dataset.to_zarr(path, zarr_format=zarr_format, consolidated=zarr_format == 2)
    y = np.random.default_rng(5).standard_normal(N)
    expected = riata.fit_path(bed, y, alphas=8)
    held = riata.distributed.from_sgkit(path, cluster_client)
    assert list(held.variants.id) == list(bed.variants.id)
    assert_same_path(riata.fit_path(held, y, alphas=8), expected)
    lazy = riata.distributed.from_sgkit(xarray.open_zarr(path, consolidated=zarr_format == 2), cluster_client)
    assert_same_path(riata.fit_path(lazy, y, alphas=8), expected)
    not_dask = riata.distributed.from_sgkit(
        xarray.open_zarr(path, consolidated=zarr_format == 2, chunks=None), cluster_client
    )
    assert_same_path(riata.fit_path(not_dask, y, alphas=8), expected)


@pytest.mark.parametrize(("zarr_format", "shards"), [(2, None), (3, None), (3, (128, 40, 2))])
def test_stores_of_vcf_zarr(cluster_client, bed, tmp_path, zarr_format, shards):
    """As bio2zarr writes them: by the specification of VCF Zarr 0.4, with alleles that are padded, and
    arrays that riata does not read.
    """
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "study.vcz"
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    group.attrs.update({"vcf_zarr_version": "0.4", "source": "bio2zarr-0.1.6"})
    calls = alleles_of(bed)
    names, contigs = np.unique(np.asarray(bed.variants.chrom).astype(str), return_inverse=True)
    alleles = np.stack([np.asarray(bed.variants[name]).astype(object) for name in ("a2", "a1")], axis=1)
    texts = {"contig_id": names, "variant_id": np.asarray(bed.variants.id), "sample_id": bed.samples.iid}

    def put(name, values, dimensions, dtype=None, fill_value=None, **options):
        values = np.asarray(values)
        dtype = dtype or values.dtype
        dims = {"dimension_names": dimensions} if zarr_format == 3 else {"fill_value": fill_value}
        array = group.create_array(name, shape=values.shape, dtype=dtype, **dims, **options)
        array[...] = values
        if zarr_format == 2:
            array.attrs["_ARRAY_DIMENSIONS"] = list(dimensions)

    put("call_genotype", calls, ("variants", "samples", "ploidy"), chunks=(64, 20, 2), shards=shards)
    put("call_genotype_mask", calls < 0, ("variants", "samples", "ploidy"), chunks=(64, 20, 2))
    put("call_genotype_phased", np.zeros(calls.shape[:2], bool), ("variants", "samples"))
    put("variant_contig", contigs.astype(np.int8), ("variants",))
    put("variant_position", np.asarray(bed.variants.pos).astype(np.int32), ("variants",))
    put("variant_allele", np.pad(alleles, ((0, 0), (0, 1)), constant_values=""), ("variants", "alleles"), str)
    put("variant_filter", np.ones((P, 1), bool), ("variants", "filters"))
    put("contig_length", np.full(len(names), 10**8), ("contigs",))
    for name, values in texts.items():
        put(name, np.asarray(values).astype(object), (f"{name.split('_')[0]}s",), str)
    if zarr_format == 2:  # that of format 3 is not specified yet
        zarr.consolidate_metadata(path)
    y = np.random.default_rng(5).standard_normal(N)
    expected = riata.fit_path(bed, y, alphas=8)
    for given in (path, xarray.open_zarr(path, consolidated=zarr_format == 2)):
        held = riata.distributed.from_sgkit(given, cluster_client)
        for name in ("chrom", "id", "pos", "a1", "a2"):
            assert list(held.variants[name]) == list(bed.variants[name])
        assert list(held.samples.iid) == list(bed.samples.iid)
        assert_same_path(riata.fit_path(held, y, alphas=8), expected)


def test_fill_values_that_xarray_takes_for_missing(cluster_client, tmp_path):
    """Of format 2, as zarr writes arrays unless told otherwise: 0, which is REF."""
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    array = group.create_array("call_genotype", shape=(4, 3, 2), dtype=np.int8)
    array[...] = 1
    array.attrs["_ARRAY_DIMENSIONS"] = ["variants", "samples", "ploidy"]
    dataset = xarray.open_zarr(tmp_path / "a.zarr", consolidated=False)
    told = (
        r"a.zarr: call_genotype must hold integers, got float\d+, as xarray makes of arrays with a fill "
        "value: open the store with mask_and_scale=False, or give its path"
    )
    with pytest.raises(ValueError, match=told):
        riata.distributed.from_sgkit(dataset, cluster_client)


def test_arrays_of_zarr(cluster_client, tmp_path):
    zarr = pytest.importorskip("zarr")
    X = np.asfortranarray(np.random.default_rng(1).standard_normal((60, 150)))
    y = X[:, 3] - X[:, 140]
    stored = zarr.open_array(tmp_path / "x.zarr", mode="w", shape=X.shape, chunks=(60, 40), dtype="f8")
    stored[:] = X
    held = riata.distributed.from_array(dask_array.from_zarr(tmp_path / "x.zarr"), cluster_client)
    assert_same_path(riata.fit_path(held, y, alphas=8), riata.fit_path(X, y, alphas=8))


def test_half_calls_haploid_ones_and_masks():
    from riata.distributed.called_parts import pack_calls
    from riata.genetics.loading import unpack

    calls = np.array(
        [[[0, 1], [-1, 1], [1, -1], [1, -2], [0, -2], [-1, -2], [1, 1], [0, 0], [1, 1]]], np.int8
    )
    mask = calls < 0
    mask[0, 8, 1] = True
    codes, beyond = pack_calls(calls, mask)
    nan = np.nan
    expected = [[1, nan, nan, 2, 0, nan, 2, 0, nan]]
    assert np.array_equal(unpack(codes, 9), expected, equal_nan=True)
    assert not beyond.any()
    calls[0, 7] = [0, 2]
    assert pack_calls(calls)[1].all()


def test_what_is_no_such_dataset_is_refused(cluster_client, bed, tmp_path):
    dataset = dataset_of(bed)

    def refuse(given, words, error=ValueError):
        with pytest.raises(error, match=words):
            riata.distributed.from_sgkit(given, cluster_client)

    refuse(alleles_of(bed), "must be an xarray.Dataset as sgkit has it", TypeError)
    refuse(dataset.drop_vars("call_genotype"), "call_genotype must be among the variables")
    refuse(dataset.drop_vars("variant_position"), "variant_position must be among the variables")
    refuse(dataset_of(bed, np.zeros((P, N, 4), np.int8), (P, N, 4)), "ploidy 2, got 4")
    refuse(
        dataset_of(bed, np.zeros((P, N, 2)), mask=np.zeros((P, N, 2), bool)),
        "hold integers, got float64, as xarray makes of arrays with a fill value",
    )
    refuse(
        dataset_of(bed, np.zeros((P, N, 2), np.uint8), mask=np.zeros((P, N, 2), bool)), "integers, got uint8"
    )
    for name in ("variant_contig", "variant_position"):
        refuse(dataset.assign({name: dataset[name].astype(float)}), f"{name} must hold integers, got float64")
    refuse(dataset.assign(call_genotype_mask=dataset.call_genotype), "call_genotype_mask must be boolean")
    refuse(
        dataset.assign(contig_id=("contigs", np.array(["1"]))),
        "variant_contig must number the contigs, 0 to 0",
    )
    refuse(tmp_path / "absent.zarr", "no such store", FileNotFoundError)
    pytest.importorskip("zarr")
    refuse(tmp_path, "it must be a Zarr store, as of VCF Zarr: zarr finds none there")
    refuse(bed.path, "it must be a Zarr store, as of VCF Zarr: zarr finds none there")


def test_a_client_or_workers_that_are_gone(cluster_of, bed, monkeypatch):
    from riata.distributed.waiting import settle

    with (
        cluster_of(0, processes=False) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        with monkeypatch.context() as patch:
            patch.setattr("riata.distributed.doors.check_workers", doors.check_client)
            held = riata.distributed.from_sgkit(dataset_of(bed), client)
        monkeypatch.setattr(doors, "PATIENCE", 0.1)
        for ask in (held.counts, held.to_numpy):
            with pytest.raises(RuntimeError, match="client must have workers, got none within 0 seconds"):
                ask()
        with pytest.raises(RuntimeError, match="no worker of the cluster takes tasks, for 0 seconds"):
            settle(client, [client.submit(int, "7")])
    with pytest.raises(ValueError, match="client must be open, got one that is closed"):
        held.counts()


def test_third_alleles_are_refused(cluster_client, bed):
    calls = alleles_of(bed)
    calls[[7, 300], 3, 1] = 2
    held = riata.distributed.from_sgkit(dataset_of(bed, calls), cluster_client)
    y = np.random.default_rng(5).standard_normal(N)
    with pytest.raises(
        ValueError, match=r"must hold alleles 0 and 1, got others at 2 variants: leave these out"
    ):
        riata.fit_path(held, y)
    some = np.setdiff1d(np.arange(P), [7, 300])
    assert_same_path(
        riata.fit_path(held.subset(variants=some), y, alphas=10),
        riata.fit_path(bed.subset(variants=some), y, alphas=10),
    )
