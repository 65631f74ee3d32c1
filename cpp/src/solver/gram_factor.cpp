#include "riata/solver/gram_factor.hpp"

#include <algorithm>
#include <cmath>

#include "riata/kernel/kernels.hpp"

namespace riata {
namespace {

constexpr double kCollinear = 1e-10;  // smallest pivot, relative to the diagonal
constexpr Index kBlock = 32;          // rows factored together

}  // namespace

void GramFactor::reserve(Index size) {
  if (size <= capacity_) return;
  const Index grown = std::max<Index>({size, capacity_ + capacity_ / 2, 64}) / 8 * 8 + 8;
  for (std::vector<double>* matrix : {&gram_, &factor_}) {
    std::vector<double> wider(static_cast<std::size_t>(grown * grown));
    for (Index i = 0; i < size_; ++i) {
      std::copy_n(matrix->data() + i * capacity_, i + 1, wider.data() + i * grown);
    }
    matrix->swap(wider);
  }
  capacity_ = grown;
}

std::vector<Index> GramFactor::append(const MatIn& cross, const MatIn& block, std::span<const double> ridge) {
  const Index m = block.cols();
  std::vector<Index> accepted;
  reserve(size_ + m);
  ridge_.resize(static_cast<std::size_t>(size_ + m));
  for (Index begin = 0; begin < m; begin += kBlock) {
    const Index count = std::min(kBlock, m - begin), base = size_, first = static_cast<Index>(accepted.size());
    // Gram entries with everything accepted so far: the rows of `cross`, then accepted rows of `block`.
    solved_.resize(static_cast<std::size_t>(base * count));
    for (Index r = 0; r < count; ++r) {
      double* column = solved_.data() + r * base;
      for (Index i = 0; i < cross.rows(); ++i) column[i] = cross(i, begin + r);
      for (Index a = 0; a < first; ++a) column[cross.rows() + a] = block(accepted[static_cast<std::size_t>(a)], begin + r);
    }
    std::vector<double> gram_part = solved_;
    if (base > 0) kernels().forward_solve(factor_.data(), capacity_, base, solved_.data(), base, count);
    for (Index r = 0; r < count; ++r) {
      double* gram = gram_row(size_);
      std::copy_n(gram_part.data() + r * base, base, gram);
      for (Index s = base; s < size_; ++s) {
        gram[s] = block(accepted[static_cast<std::size_t>(s - cross.rows())], begin + r);
      }
      gram[size_] = block(begin + r, begin + r);
      ridge_[static_cast<std::size_t>(size_)] = ridge[static_cast<std::size_t>(begin + r)];
      if (push_row(solved_.data() + r * base, base)) accepted.push_back(begin + r);
    }
  }
  ridge_.resize(static_cast<std::size_t>(size_));
  return accepted;
}

/// Factors the Gram row standing at position size_, given its solution against the first `base` factor rows;
/// false when the pivot says that it is collinear with the rows before it.
bool GramFactor::push_row(const double* solved, Index base) {
  const Kernels& k = kernels();
  const double* gram = gram_row(size_);
  double* out = row(size_);
  std::copy_n(solved, base, out);
  for (Index s = base; s < size_; ++s) out[s] = (gram[s] - k.dot(out, row(s), s)) / row(s)[s];
  const double diagonal = gram[size_] + ridge_[static_cast<std::size_t>(size_)];
  const double pivot = diagonal - k.dot(out, out, size_);
  if (!(pivot > kCollinear * diagonal)) return false;
  out[size_] = std::sqrt(pivot);
  ++size_;
  ++updates_;
  return true;
}

bool GramFactor::refactor() {
  const Index total = size_;
  size_ = 0;
  while (size_ < total) {
    const Index base = size_, count = std::min(kBlock, total - base);
    solved_.resize(static_cast<std::size_t>(base * count));
    for (Index r = 0; r < count; ++r) std::copy_n(gram_row(base + r), base, solved_.data() + r * base);
    if (base > 0) kernels().forward_solve(factor_.data(), capacity_, base, solved_.data(), base, count);
    for (Index r = 0; r < count; ++r) {
      if (!push_row(solved_.data() + r * base, base)) return false;
    }
  }
  updates_ = 0;
  return true;
}

bool GramFactor::set_ridge(std::span<const double> ridge) {
  if (std::equal(ridge.begin(), ridge.end(), ridge_.begin(), ridge_.end())) return true;
  ridge_.assign(ridge.begin(), ridge.end());
  return refactor();
}

void GramFactor::remove(Index i) {
  const Index last = size_ - 1;
  for (Index r = i; r < last; ++r) {
    // Row r + 1 moves up; its Gram entries lose column i.
    double* gram = gram_row(r);
    const double* from = gram_row(r + 1);
    std::copy_n(from, i, gram);
    std::copy_n(from + i + 1, r + 1 - i, gram + i);
    std::copy_n(row(r + 1), r + 2, row(r));
    ridge_[static_cast<std::size_t>(r)] = ridge_[static_cast<std::size_t>(r + 1)];
  }
  ridge_.resize(static_cast<std::size_t>(last));
  size_ = last;
  ++updates_;
  // Rows i.. now reach one column past the diagonal: rotate columns (j, j + 1) to clear it, row by row.
  const Index tail = last - i;
  rotations_.resize(static_cast<std::size_t>(2 * tail));
  for (Index r = i; r < last; ++r) {
    double* l = row(r);
    double carry = l[i];
    for (Index j = i; j < r; ++j) {
      const double c = rotations_[static_cast<std::size_t>(2 * (j - i))];
      const double s = rotations_[static_cast<std::size_t>(2 * (j - i) + 1)];
      const double next = l[j + 1];
      l[j] = c * carry + s * next;
      carry = c * next - s * carry;
    }
    const double beyond = l[r + 1], radius = std::hypot(carry, beyond);
    rotations_[static_cast<std::size_t>(2 * (r - i))] = carry / radius;
    rotations_[static_cast<std::size_t>(2 * (r - i) + 1)] = beyond / radius;
    l[r] = radius;
  }
}

void GramFactor::solve(Vec& rhs) const {
  if (size_ == 0) return;
  kernels().forward_solve(factor_.data(), capacity_, size_, rhs.data(), size_, 1);
  kernels().backward_solve(factor_.data(), capacity_, size_, rhs.data());
}

}  // namespace riata
