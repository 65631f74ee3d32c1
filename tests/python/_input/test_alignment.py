"""Arrays whose numbers do not lie at multiples of their size, as in packed records: copied or refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from riata import _core


def unaligned(array):
    """The same numbers, one byte off."""
    raw = np.zeros(array.nbytes + 1, dtype=np.uint8)
    raw[1:] = np.frombuffer(array.tobytes(order="A"), dtype=np.uint8)
    order = "F" if array.flags.f_contiguous else "C"
    out = np.ndarray(array.shape, dtype=array.dtype, buffer=raw.data, offset=1, order=order)
    assert not out.flags.aligned
    assert_array_equal(out, array)
    return out


def test_designs_are_refused():
    X = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    with pytest.raises(ValueError, match="X must be aligned"):
        _core.dense_design(unaligned(X))
    pointers, rows, values = np.array([0, 1, 2], dtype=np.int32), np.array([0, 1], dtype=np.int32), np.ones(2)
    for given in (
        (unaligned(pointers), rows, values),
        (pointers, unaligned(rows), values),
        (pointers, rows, unaligned(values)),
    ):
        with pytest.raises(ValueError, match="must be aligned"):
            _core.csc_design(*given, 2)


def test_other_arrays_are_copied():
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((6, 4)))
    design = _core.dense_design(X)
    R = np.asfortranarray(np.arange(12.0).reshape(6, 2))
    columns = np.array([2, 0], dtype=np.int64)
    assert_array_equal(design.correlate(unaligned(R)), design.correlate(R))
    assert_array_equal(design.correlate(R, unaligned(columns)), design.correlate(R, columns))
    assert_array_equal(design.gather(unaligned(columns)), design.gather(columns))
    counts = np.array([[3, 4, 5, 0]], dtype=np.uint32)
    assert_array_equal(_core.hardy_weinberg(unaligned(counts)), _core.hardy_weinberg(counts))
    data, offsets = np.frombuffer(b"abc", dtype=np.uint8), np.array([0, 1, 3], dtype=np.uint32)
    right = _core.take_texts(data, offsets, columns[1:])
    found = _core.take_texts(data, unaligned(offsets), unaligned(columns[1:]))
    for a, b in zip(found, right, strict=True):
        assert_array_equal(a, b)
    time, event = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0])
    survival = _core.Survival(unaligned(event), None, None, False)
    right_survival = _core.Survival(event, None, None, False)
    eta = np.asfortranarray(np.array([[0.1], [0.2], [0.3]]))
    assert_array_equal(
        _core.cox_objective(unaligned(time), survival, unaligned(np.ones(3)), unaligned(eta)),
        _core.cox_objective(time, right_survival, np.ones(3), eta),
    )
