#include "solver/sample_gram.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/kernels.hpp"
#include "parallel.hpp"
#include "solver/sample_products.hpp"

namespace riata {
namespace {

constexpr Index kRows = 32;      // of them that a thread turns
constexpr Index kLines = 64;     // rows of K that a thread multiplies
constexpr double kWorn = 10.0;   // changes for each feature after which K is made again
constexpr double kSame = 1e-12;  // by which ratios of one penalty may differ

bool same(double a, double b) {
  return std::abs(a - b) <= kSame * std::abs(b);
}

}  // namespace

void SampleGram::clear() {
  members_.clear();
  made_ = false;
  changes_ = 0;
}

void SampleGram::working_set_changed(std::span<const Index> new_number) {
  for (Member& m : members_) m.feature = new_number[static_cast<std::size_t>(m.feature)];
  // The column of one that is gone cannot be asked for any more.
  if (std::any_of(members_.begin(), members_.end(), [](const Member& m) { return m.feature < 0; })) clear();
}

void SampleGram::find_lines() {
  lines_.resize(static_cast<std::size_t>(K_.cols()));
  for (Index i = 0; i < K_.cols(); ++i) lines_[static_cast<std::size_t>(i)] = K_.col(i).data();
}

/// Whether the penalties are those that the members came with, but for lambda.
bool SampleGram::keeps(std::span<const ElasticNet> net, double lambda) const {
  return std::all_of(members_.begin(), members_.end(), [&](const Member& m) {
    const ElasticNet& e = net[static_cast<std::size_t>(m.feature)];
    return same(e.l2, lambda * m.ridge) && same(e.l1, e.l2 * m.slope);
  });
}

void SampleGram::add(Quadratic& model, std::span<const Member> members, double sign) {
  const Index n = model.rows();
  for (std::size_t begin = 0; begin < members.size(); begin += kColumns) {
    const auto part = members.subspan(begin, std::min<std::size_t>(kColumns, members.size() - begin));
    const Index count = static_cast<Index>(part.size());
    features_.clear();
    centres_.clear();
    auto weights = weights_.shape(count);
    for (std::size_t k = 0; k < part.size(); ++k) {
      features_.push_back(part[k].feature);
      centres_.push_back(part[k].centre);
      weights[static_cast<Index>(k)] = sign * part[k].sign * part[k].slope;
    }
    auto columns = columns_.shape(n, count);
    model.columns_less(features_, centres_, columns);
    for (Index k = 0; k < count; ++k) slopes_ += weights[k] * columns.col(k);
    const bool few = count <= kFewColumns;
    for (Index k = 0; k < count; ++k) {
      const double ridge = part[static_cast<std::size_t>(k)].ridge;
      weights[k] = few ? sign / ridge : 1.0 / std::sqrt(ridge);
    }
    auto rows = rows_.shape(count, n);
    parallel_for((n + kRows - 1) / kRows, worth_threads(model.threads(), static_cast<double>(n * count)), [&](Index c) {
      const Index first = c * kRows, size = std::min(kRows, n - first);
      rows.middleCols(first, size) = weights.asDiagonal() * columns.middleRows(first, size).transpose();
    });
    if (few) {
      add_column_products(columns, rows, model.threads(), K_);
      continue;
    }
    add_sample_products(rows, sign, Triangle::kBoth, model.threads(), K_);
  }
}

void SampleGram::assign(Quadratic& model, std::span<const signed char> sign, std::span<const ElasticNet> net,
                        double lambda) {
  const Index n = model.rows();
  if (!made_ || K_.rows() != n || !keeps(net, lambda)) clear();
  const auto wanted = std::count_if(sign.begin(), sign.end(), [](signed char s) { return s != 0; });
  present_.assign(sign.size(), 0);
  going_.clear();
  for (const Member& m : members_) {
    const std::size_t w = static_cast<std::size_t>(m.feature);
    if (static_cast<double>(sign[w]) == m.sign) {
      present_[w] = 1;
    } else {
      going_.push_back(m);
    }
  }
  const Index kept = size() - static_cast<Index>(going_.size());
  const Index changes = static_cast<Index>(going_.size()) + wanted - kept;
  if (changes >= wanted || static_cast<double>(changes_) > kWorn * static_cast<double>(wanted)) {
    clear();
    going_.clear();
    std::fill(present_.begin(), present_.end(), 0);
  }
  if (!made_) {
    made_ = true;
    K_.setZero(n, n);
    slopes_.setZero(n);
    find_lines();
  }
  coming_.clear();
  for (std::size_t w = 0; w < sign.size(); ++w) {
    if (sign[w] == 0 || present_[w] != 0) continue;
    const Index feature = static_cast<Index>(w);
    coming_.push_back(
        {feature, static_cast<double>(sign[w]), net[w].l2 / lambda, net[w].l1 / net[w].l2, model.mean_of(feature)});
  }
  const std::size_t before = members_.size();
  std::erase_if(members_, [&](const Member& m) { return present_[static_cast<std::size_t>(m.feature)] == 0; });
  if (before > 0) changes_ += static_cast<Index>(going_.size() + coming_.size());
  if (going_.size() + coming_.size() <= static_cast<std::size_t>(kFewColumns)) {
    for (Member& m : going_) {  // as what comes, so that K is gone over once
      m.sign = -m.sign;
      m.ridge = -m.ridge;
    }
    going_.insert(going_.end(), coming_.begin(), coming_.end());
    add(model, going_, 1.0);
  } else {
    add(model, going_, -1.0);
    add(model, coming_, 1.0);
  }
  members_.insert(members_.end(), coming_.begin(), coming_.end());
}

void SampleGram::multiply(const Vec& u, int threads, Vec& out) const {
  const Index n = K_.rows();
  out.resize(n);
  const double work = static_cast<double>(n) * static_cast<double>(n);
  parallel_for((n + kLines - 1) / kLines, worth_threads(threads, work), [&](Index chunk) {
    const Index first = chunk * kLines, count = std::min(kLines, n - first);
    kernels().correlate_f64(lines_.data() + first, count, n, u.data(), n, 1, out.data() + first, count);
  });
}

void SampleGram::combine(const Vec& u, double lambda, int threads, Vec& out) const {
  multiply(u, threads, out);
  out = out / lambda - slopes_;
}

}  // namespace riata
