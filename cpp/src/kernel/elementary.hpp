#pragma once

// Exponentials and logarithms of many numbers. Part of kernels_impl.hpp.

#include "simd.hpp"

namespace riata::RIATA_ISA {

/// e^x = 2^k e^r with |r| <= log(2) / 2 and a Taylor polynomial for e^r.
RIATA_INLINE Pack exponential(Pack x) {
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves the nearest integer in the lowest bits
  x = lesser(set1(710.0), larger(set1(-746.0), x));  // in this order NaN stays NaN
  const Pack k = sub(add(mul(x, set1(1.4426950408889634)), set1(magic)), set1(magic));
  // log(2) in two parts, the first with zeros at its end so that its multiples are exact.
  Pack r = fma(k, set1(-6.93147180369123816490e-01), x);
  r = fma(k, set1(-1.90821492927058770002e-10), r);
  constexpr int degree = 13;
  constexpr double inverse_factorial[degree + 1] = {
      1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  Pack y = set1(inverse_factorial[degree]);
  for (int i = degree; i-- > 0;) y = fma(y, r, set1(inverse_factorial[i]));
  // In two steps, so that neither leaves the range of normal numbers.
  const Pack half = sub(add(mul(k, set1(0.5)), set1(magic)), set1(magic));
  const Pack first = shift_into_exponent(add(half, set1(magic)));
  const Pack second = shift_into_exponent(add(sub(k, half), set1(magic)));
  return mul(mul(y, first), second);
}

/// log(1 + z) for 0 <= z <= 1, as 2 atanh(s) with s = z / (2 + z) <= 1/3.
RIATA_INLINE Pack log_one_plus(Pack z) {
  const Pack s = div(z, add(z, set1(2.0))), square = mul(s, s);
  constexpr int terms = 17;
  Pack sum = set1(1.0 / (2 * terms - 1));
  for (int i = terms - 1; i-- > 0;) sum = fma(sum, square, set1(1.0 / (2 * i + 1)));
  return mul(add(s, s), sum);
}

template <class Function>
RIATA_INLINE void for_each(const double* x, Index n, double* out, const Function& function) {
  Index i = 0;
  for (; i + width <= n; i += width) store(out + i, function(load(x + i)));
  if (i < n) store_part(out + i, function(load_part(x + i, n - i)), n - i);
}

inline void exponentials(const double* x, Index n, double* out) {
  for_each(x, n, out, [](Pack a) { return exponential(a); });
}

inline void logs_one_plus(const double* z, Index n, double* out) {
  for_each(z, n, out, [](Pack a) { return log_one_plus(a); });
}

}  // namespace riata::RIATA_ISA
