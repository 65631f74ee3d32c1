"""Decoding into packed codes or float32 copies, in memory and in temporary files."""

import numpy as np
import pytest
from genotype_files import ArrayReader, random_copies, random_dosages
from numpy.testing import assert_array_equal

from riata.genetics import loading


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(loading, "_BLOCK", 100)


@pytest.mark.parametrize("n", [1, 4, 33, 34, 35, 36])
def test_packing_goes_both_ways(n):
    copies = random_copies(n, 7, seed=n)
    packed = loading.pack(np.where(np.isnan(copies), 3, copies).astype(np.uint8))
    assert packed.shape == (7, -(-n // 4))
    assert_array_equal(loading.unpack(packed, n), copies)


def test_packed_codes_are_those_of_a_bed():
    packed = loading.pack(np.array([[0, 1, 2, 3, 2]], dtype=np.uint8))
    assert_array_equal(packed, [[0b01_00_10_11, 0b00]])


@pytest.mark.parametrize("has_dosages", [None, False])
def test_hard_calls_are_packed(has_dosages, small_blocks):
    copies = random_copies(33, 20)
    columns = np.array([5, 2, 19, 0, 7])
    loaded = loading.load(ArrayReader(copies, has_dosages), columns)
    assert loaded.copies is None
    assert_array_equal(loading.unpack(loaded.packed, 33), copies[columns])


@pytest.mark.parametrize("fraction_at", [0, 11, 19])
def test_one_fraction_makes_all_copies_float32(fraction_at, small_blocks):
    copies = random_copies(33, 20)
    copies[fraction_at, 3] = 0.25
    loaded = loading.load(ArrayReader(copies), np.arange(20))
    assert loaded.packed is None
    assert loaded.copies.dtype == np.float32
    assert_array_equal(loaded.copies, copies)


def test_known_dosages_stay_float32(small_blocks):
    dosages = random_dosages(33, 20)
    assert_array_equal(loading.load(ArrayReader(dosages, True), np.arange(20)).copies, dosages)


def test_large_buffers_are_mapped_to_a_temporary_file(monkeypatch, tmp_path, small_blocks):
    monkeypatch.setattr(loading, "MEMORY_LIMIT", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dosages = random_dosages(33, 20)
    loaded = loading.load(ArrayReader(dosages), np.arange(20)).copies
    assert_array_equal(loaded, dosages)
    assert not loaded.flags.owndata
    assert list(tmp_path.iterdir()) == []  # nothing to clean up, whatever ends the process


def test_no_room_for_the_temporary_file(monkeypatch, tmp_path):
    def full(descriptor, offset, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loading, "MEMORY_LIMIT", 1000)
    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match=r"no room for 3\.7 GiB of decoded genotypes; set TMPDIR"):
        loading.buffer((1000, 1_000_000), np.float32)
