#include "path/column_parts.hpp"

#include <algorithm>

#include "parallel.hpp"
#include "path/hosted_parts.hpp"

namespace riata {
namespace {

// Columns are bounded in vectors of this many: parts begin at multiples of it, so that each column is in the same place
// of one whatever the parts are.
constexpr Index kLane = 16;

}  // namespace

LocalParts::LocalParts(const Design& X, std::span<const Index> numbers, Index parts, Index copy_for, double most_bytes,
                       int threads, Counters& counters)
    : counters_(counters) {
  const Index lanes = (X.cols() + kLane - 1) / kLane;
  Index first = 0;
  for (Index i = 0; i < parts; ++i) {
    const Index last = i + 1 == parts ? X.cols() : lanes * (i + 1) / parts * kLane;
    if (last > first) parts_.emplace_back(X, numbers, first, last, copy_for, most_bytes, threads);
    first = std::max(first, last);
  }
}

void LocalParts::first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                            std::uint64_t* digest) {
  means.assign(static_cast<std::size_t>(weights.cols()), Vec(parts_.back().last()));
  variances = means;
  for (ColumnPart& part : parts_) part.first_pass(weights, null_u, means, variances, digest, counters_);
  counters_.products += static_cast<double>(null_u.cols());
}

double LocalParts::memory() const {
  double sum = 0.0;
  for (const ColumnPart& part : parts_) sum += part.memory();
  return sum;
}

Vec LocalParts::copy_errors() const {
  if (!parts_.front().rounded().copies()) return {};
  Vec out(parts_.back().last());
  for (const ColumnPart& part : parts_) out.segment(part.first(), part.last() - part.first()) = part.rounded().errors();
  return out;
}

std::vector<Index> LocalParts::cuts() const {
  std::vector<Index> out{0};
  for (const ColumnPart& part : parts_) out.push_back(part.last());
  return out;
}

Index LocalParts::add_problem(const PenaltyFamily& penalty, const StandardizedColumns& columns,
                              const ColumnNorms& norms, Index outputs, bool full_working_set, int threads) {
  for (ColumnPart& part : parts_) {
    part.add_problem(
        ColumnScreen::make(penalty, columns, norms, part.first(), part.last(), outputs, full_working_set, threads));
  }
  return problems_++;
}

void LocalParts::move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work) {
  for (ColumnPart& part : parts_) part.move(problem, into_work, out_of_work);
}

/// Features that lie one after the other in one part come together, in the order that they were given in.
void LocalParts::fetch(std::span<const Index> features, SharedPool& pool, int threads, Counters& counters) const {
  while (!features.empty()) {
    const auto part = std::find_if(parts_.begin(), parts_.end(),
                                   [&](const ColumnPart& each) { return features.front() < each.last(); });
    const auto end =
        std::find_if(features.begin(), features.end(), [&](Index j) { return j < part->first() || j >= part->last(); });
    const std::size_t count = static_cast<std::size_t>(end - features.begin());
    part->fetch(features.first(count), pool, threads, counters);
    features = features.subspan(count);
  }
}

std::vector<Candidate> LocalParts::candidates(Index problem, const ScreeningQuery& query) {
  std::vector<Candidate> out;
  for (ColumnPart& part : parts_) {
    const std::vector<Candidate> mine = part.candidates(problem, query);
    out.insert(out.end(), mine.begin(), mine.end());
  }
  return out;
}

void LocalParts::bound(std::span<Ask> asks, int threads) {
  parallel_for(static_cast<Index>(asks.size()), threads, [&](Index i) {
    Ask& ask = asks[static_cast<std::size_t>(i)];
    for (ColumnPart& part : parts_) ask.undecided += part.bound(ask.problem, ask.round);
  });
}

void LocalParts::skip(Index problem) {
  for (ColumnPart& part : parts_) part.skip(problem);
}

void LocalParts::read(std::span<const Reading> readings) {
  for (ColumnPart& part : parts_) part.read(readings, counters_);
}

RoundAnswer LocalParts::answer(Index problem) const {
  RoundAnswer out;
  for (const ColumnPart& part : parts_) part.append_answer(problem, out);
  return out;
}

void LocalParts::state(ArchiveReader& archive, Index problem) {
  StoredAs stored{};
  archive(stored);
  if (stored == StoredAs::kRecall) {
    Recall all;
    archive(all);
    for (ColumnPart& part : parts_) {
      Recall mine = all.part(part.first(), part.last());
      mine.blocks = std::move(all.blocks);
      part.recall({&mine, 1}, {&problem, 1});
      all.blocks = std::move(mine.blocks);
    }
    return;
  }
  std::vector<Index> begins;
  archive(begins);
  for (std::size_t k = 0; k + 1 < begins.size(); ++k) {
    StoredNumbers numbers;
    archive(numbers);
    for (ColumnPart& part : parts_) part.restore(problem, numbers, begins[k]);
  }
}

std::unique_ptr<ColumnParts> column_parts(const Design& X, const PathOptions& options, const Features& features,
                                          Index parts, Index copy_for, double most_bytes, Counters& counters) {
  if (PartLayout layout = PartLayout::of(X, options.threads); layout.host != nullptr) {
    const double share = RoundedProducts::share_of_copy(X, copy_for, most_bytes);
    return std::make_unique<HostedParts>(X, std::move(layout), options, features, share, counters);
  }
  return std::make_unique<LocalParts>(X, features.column, parts, copy_for, most_bytes, options.threads, counters);
}

}  // namespace riata
