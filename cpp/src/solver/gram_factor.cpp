#include "solver/gram_factor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "kernel/kernels.hpp"

namespace riata {
namespace {

constexpr double kCollinear = 1e-10;  // smallest pivot, relative to the diagonal
constexpr Index kBlock = 32;          // rows solved together
constexpr Index kRotated = 8;         // rows rotated together
constexpr std::size_t kRoom = 16;     // numbers by which the room of rows differs

}  // namespace

/// A row of so many numbers.
GramFactor::Row GramFactor::take(Index size) {
  const auto length = static_cast<std::size_t>(size), steps = (length + kRoom - 1) / kRoom;
  if (steps >= kinds_.size()) kinds_.resize(steps + 1);
  Kind& kind = kinds_[steps];
  Row row;
  if (!kind.spare.empty()) {
    row = std::move(kind.spare.back());
    kind.spare.pop_back();
    spared_ -= row.capacity();
  } else {
    row.reserve(steps * kRoom);
    if (++kind.made > kind.spare.capacity()) kind.spare.reserve(2 * kind.made);  // give() is not to allocate
  }
  row.resize(length);
  used_ += row.capacity();
  most_used_ = std::max(most_used_, used_);
  return row;
}

/// Keeps the room of a row that is no longer needed.
void GramFactor::give(Row row) {
  if (row.capacity() == 0) return;
  const std::size_t steps = row.capacity() / kRoom;
  if (steps >= kinds_.size()) kinds_.resize(steps + 1);
  used_ -= row.capacity();
  Kind& kind = kinds_[steps];
  if (used_ + spared_ + row.capacity() > 2 * most_used_) {
    if (kind.made > 0) --kind.made;  // rows of a checkpoint may have more room than those it was written of
    return;
  }
  spared_ += row.capacity();
  kind.spare.push_back(std::move(row));
}

void GramFactor::give(std::vector<Row>& rows) {
  for (Row& row : rows) give(std::move(row));
  rows.clear();
}

void GramFactor::clear() {
  give(factor_);
  give(gram_);
  lines_.clear();
  ridge_.clear();
  updates_ = 0;
}

const std::vector<Index>& GramFactor::append(const MatIn& cross, const MatIn& block, std::span<const double> ridge) {
  const Index m = block.cols(), old = size();
  std::vector<Index>& accepted = accepted_;
  accepted.clear();
  for (Index begin = 0; begin < m; begin += kBlock) {
    const Index count = std::min(kBlock, m - begin), base = size();
    // Gram entries with everything accepted so far: the rows of `cross`, then accepted rows of `block`.
    const auto entry = [&](Index i, Index r) {
      return i < old ? cross(i, r) : block(accepted[static_cast<std::size_t>(i - old)], r);
    };
    solved_.resize(static_cast<std::size_t>(base * count));
    for (Index r = 0; r < count; ++r) {
      for (Index i = 0; i < base; ++i) solved_[static_cast<std::size_t>(r * base + i)] = entry(i, begin + r);
    }
    if (base > 0) kernels().forward_solve(lines_.data(), base, solved_.data(), base, count);
    for (Index r = 0; r < count; ++r) {
      Row gram = take(size() + 1);
      for (Index i = 0; i < size(); ++i) gram[static_cast<std::size_t>(i)] = entry(i, begin + r);
      gram.back() = block(begin + r, begin + r);
      if (push_row(std::move(gram), ridge[static_cast<std::size_t>(begin + r)], solved_.data() + r * base, base)) {
        accepted.push_back(begin + r);
      }
    }
  }
  return accepted;
}

/// Appends the factor row of a feature with the given Gram row, whose solution against the first `base` factor rows is
/// known; false when the pivot says that it is collinear with the rows before it.
bool GramFactor::push_row(Row gram, double ridge, const double* solved, Index base) {
  const Kernels& k = kernels();
  Row row = take(size() + 1);
  std::copy_n(solved, base, row.data());
  for (Index s = base; s < size(); ++s) {
    const double* line = lines_[static_cast<std::size_t>(s)];
    row[static_cast<std::size_t>(s)] = (gram[static_cast<std::size_t>(s)] - k.dot(row.data(), line, s)) / line[s];
  }
  const double diagonal = gram.back() + ridge;
  const double pivot = diagonal - k.dot(row.data(), row.data(), size());
  if (!(pivot > kCollinear * diagonal)) {
    give(std::move(row));
    give(std::move(gram));
    return false;
  }
  row.back() = std::sqrt(pivot);
  factor_.push_back(std::move(row));
  lines_.push_back(factor_.back().data());
  // remove() is not to allocate.
  if (rotations_.capacity() < 2 * lines_.size()) rotations_.reserve(4 * lines_.size());
  ridge_.push_back(ridge);
  if (keep_gram_) {
    gram_.push_back(std::move(gram));
  } else {
    give(std::move(gram));
  }
  ++updates_;
  return true;
}

bool GramFactor::refactor() {
  if (!keep_gram_) return false;
  std::vector<Row>& gram = gram_before_;
  std::vector<double>& ridge = ridge_before_;
  gram.clear();
  gram.swap(gram_);
  ridge.swap(ridge_);
  clear();
  const Index total = static_cast<Index>(gram.size());
  while (size() < total) {
    const Index base = size(), count = std::min(kBlock, total - base);
    solved_.resize(static_cast<std::size_t>(base * count));
    for (Index r = 0; r < count; ++r) {
      std::copy_n(gram[static_cast<std::size_t>(base + r)].data(), base, solved_.data() + r * base);
    }
    if (base > 0) kernels().forward_solve(lines_.data(), base, solved_.data(), base, count);
    for (Index r = 0; r < count; ++r) {
      const std::size_t i = static_cast<std::size_t>(base + r);
      if (!push_row(std::move(gram[i]), ridge[i], solved_.data() + r * base, base)) {
        give(gram);
        return false;
      }
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
  const auto drop = [i](auto& rows) { rows.erase(rows.begin() + i); };
  give(std::move(factor_[static_cast<std::size_t>(i)]));
  drop(factor_);
  drop(lines_);
  drop(ridge_);
  ++updates_;
  if (keep_gram_) {
    give(std::move(gram_[static_cast<std::size_t>(i)]));
    drop(gram_);
    for (std::size_t r = static_cast<std::size_t>(i); r < gram_.size(); ++r) gram_[r].erase(gram_[r].begin() + i);
  }
  // Rows from i on reach one column past the diagonal: rotate columns (j, j + 1) to clear it. A group of rows takes the
  // rotations of all rows before the group together, those of the group itself row by row.
  rotations_.resize(static_cast<std::size_t>(2 * (size() - i)));
  for (Index first = i; first < size(); first += kRotated) {
    const Index count = std::min(kRotated, size() - first);
    std::array<double*, kRotated> group;
    for (Index k = 0; k < count; ++k) group[k] = factor_[static_cast<std::size_t>(first + k)].data() + i;
    kernels().rotate(group.data(), count, first - i, rotations_.data());
    for (Index k = 0; k < count; ++k) {
      double* const tail = group[k] + (first - i);
      double* const rotation = rotations_.data() + 2 * (first - i);
      kernels().rotate(&tail, 1, k, rotation);
      const double radius = std::hypot(tail[k], tail[k + 1]);
      rotation[2 * k] = tail[k] / radius;
      rotation[2 * k + 1] = tail[k + 1] / radius;
      tail[k] = radius;
      factor_[static_cast<std::size_t>(first + k)].pop_back();
    }
  }
}

void GramFactor::solve(Eigen::Ref<Vec> rhs) const {
  if (factor_.empty()) return;
  kernels().forward_solve(lines_.data(), size(), rhs.data(), size(), 1);
  kernels().backward_solve(lines_.data(), size(), rhs.data());
}

void GramFactor::multiply(const Eigen::Ref<const Vec>& x, Eigen::Ref<Vec> out) {
  const Kernels& k = kernels();
  auto half = half_.shape(size());
  half.setZero();
  for (Index i = 0; i < size(); ++i) k.axpy(x[i], lines_[static_cast<std::size_t>(i)], half.data(), i + 1);
  for (Index i = 0; i < size(); ++i) {
    const std::size_t r = static_cast<std::size_t>(i);
    out[i] = k.dot(lines_[r], half.data(), i + 1) - ridge_[r] * x[i];
  }
}

}  // namespace riata
