#include "path/streaming_pass.hpp"

#include <algorithm>
#include <utility>

namespace riata {
namespace {

// Columns are bounded in vectors of this many: parts begin at multiples of it, so that each column is in the same place
// of one whatever the parts are.
constexpr Index kLane = 16;

}  // namespace

StreamingPass::StreamingPass(const Design& X, std::span<const Index> numbers, Index parts, Index copy_for,
                             double most_bytes, int threads, Counters& counters)
    : counters_(counters) {
  const Index lanes = (X.cols() + kLane - 1) / kLane;
  Index first = 0;
  for (Index i = 0; i < parts; ++i) {
    const Index last = i + 1 == parts ? X.cols() : lanes * (i + 1) / parts * kLane;
    if (last > first) parts_.emplace_back(X, numbers, first, last, copy_for, most_bytes, threads);
    first = std::max(first, last);
  }
}

void StreamingPass::first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means,
                               std::vector<Vec>& variances, std::uint64_t* digest) {
  means.assign(static_cast<std::size_t>(weights.cols()), Vec(parts_.back().last()));
  variances = means;
  for (ColumnPart& part : parts_) part.first_pass(weights, null_u, means, variances, digest, counters_);
  counters_.products += static_cast<double>(null_u.cols());
}

double StreamingPass::memory() const {
  double sum = 0.0;
  for (const ColumnPart& part : parts_) sum += part.memory();
  return sum;
}

Vec StreamingPass::copy_errors() const {
  if (!parts_.front().rounded().copies()) return {};
  Vec out(parts_.back().last());
  for (const ColumnPart& part : parts_) out.segment(part.first(), part.last() - part.first()) = part.rounded().errors();
  return out;
}

std::vector<Index> StreamingPass::cuts() const {
  std::vector<Index> out{0};
  for (const ColumnPart& part : parts_) out.push_back(part.last());
  return out;
}

void StreamingPass::serve(std::span<const std::unique_ptr<PathFit>> problems) {
  if (parts_.front().null_products().cols() > 0) return serve_null(problems);
  const RoundedProducts& cheap = parts_.front().rounded();
  std::vector<Asking> asking;
  for (const auto& problem : problems) {
    Screening& screening = problem->screening();
    if (!problem->pending() || !screening.needs_reading()) continue;
    Asking& mine = asking.emplace_back(Asking{&screening, {}, {}, {}});
    if (cheap.offered() && screening.may_round()) mine.rounded = cheap.round(screening.rhs());
    mine.plan = screening.begin_pass(mine.rounded ? mine.rounded->used : screening.rhs(), mine.rounded.has_value());
    for (std::size_t i = 0; i < parts_.size(); ++i) mine.columns.push_back(screening.part(i).needed());
  }
  read(asking);
  std::vector<Asking> exact;  // where rounding left a column undecided
  for (const Asking& before : asking) {
    Asking again{before.problem, {}, {}, {}};
    bool some = false;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      std::vector<Index> columns;
      if (!before.columns[i].empty()) columns = before.problem->part(i).finish_pass(before.columns[i]);
      some = some || !columns.empty();
      again.columns.push_back(std::move(columns));
    }
    if (!some) continue;
    again.plan = before.problem->begin_pass(before.problem->rhs(), false);
    exact.push_back(std::move(again));
  }
  read(exact);
  for (const Asking& last : exact) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!last.columns[i].empty()) last.problem->part(i).finish_pass(last.columns[i]);
    }
  }
}

/// What the first pass found for the null fits, in the place of reading it again.
void StreamingPass::serve_null(std::span<const std::unique_ptr<PathFit>> problems) {
  const Index outputs = parts_.front().null_products().cols() / static_cast<Index>(problems.size());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    for (std::size_t f = 0; f < problems.size(); ++f) {
      Screening& screening = problems[f]->screening();
      if (screening.part(i).needed().empty()) continue;
      const Index first = static_cast<Index>(f) * outputs;
      screening.add_null(i, parts_[i].first(), parts_[i].null_products().middleCols(first, outputs));
    }
  }
  for (ColumnPart& part : parts_) part.release_null();
}

void StreamingPass::read(std::vector<Asking>& asking) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    std::vector<ColumnPart::Reading> readings;
    for (Asking& mine : asking) {
      if (mine.columns[i].empty()) continue;
      const RoundedProducts::Sides* const rounded = mine.rounded ? &*mine.rounded : nullptr;
      const Mat* const rhs = rounded != nullptr ? &rounded->used : &mine.problem->rhs();
      readings.push_back({&mine.problem->part(i), rhs, rounded, &mine.plan, mine.columns[i]});
    }
    parts_[i].read(readings, counters_);
  }
}

}  // namespace riata
