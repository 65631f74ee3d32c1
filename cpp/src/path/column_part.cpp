#include "path/column_part.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "io/digest.hpp"
#include "parallel.hpp"
#include "riata/error.hpp"

namespace riata {
namespace {

// Columns are read in pieces: of about this many bytes, more where storages prepare many right-hand sides for each
// call.
constexpr double kPieceBytes = 1 << 18, kRhsShare = 8.0;
// Squares below lose digits. A mean of 0 is that of a column of zeros.
constexpr double kLeastVariance = 1e-300, kLeastMean = 1e-140;
constexpr Index kSmallestPiece = 48, kLargestPiece = 8160;

/// Numbers between 1 and 2 without any order in them: a product with them changes when rows of a column do.
Mat fingerprint_vector(Index n) {
  Mat out(n, 1);
  Digest digest;
  for (Index i = 0; i < n; ++i) {
    digest.add(static_cast<std::uint64_t>(i));
    out(i, 0) = 1.0 + std::ldexp(static_cast<double>(digest.value() >> 12), -52);
  }
  return out;
}

/// Sums of these do not depend on how columns are grouped.
std::uint64_t digest_of(Columns columns, Index before, const Mat& products) {
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    Digest one;
    one.add(static_cast<std::uint64_t>(columns[k] + before));
    one.add(&products(static_cast<Index>(k), 0), sizeof(double));
    sum += one.value();
  }
  return sum;
}

}  // namespace

void check_moments(const Vec& mean, const Vec& variance, Index first, Index last, std::span<const Index> numbers,
                   Index before) {
  for (Index j = first; j < last; ++j) {
    const Index number = j < static_cast<Index>(numbers.size()) ? numbers[static_cast<std::size_t>(j)] : j + before;
    if (variance[j] < kLeastVariance && mean[j] != 0.0 && std::abs(mean[j]) < kLeastMean) {
      throw std::invalid_argument(
          "X must hold numbers whose squares are not rounded to 0, got smaller ones in column " +
          std::to_string(number));
    }
    if (std::isnan(variance[j])) throw NonFiniteError(number);
    if (std::isinf(variance[j])) {
      throw std::invalid_argument("X must hold numbers whose squares are finite, got larger ones in column " +
                                  std::to_string(number));
    }
  }
}

ColumnPart::ColumnPart(const Design& X, std::span<const Index> numbers, Index first, Index last, Index copy_for,
                       double most_bytes, int threads)
    : X_(X),
      traits_(X.traits()),
      numbers_(numbers),
      first_(first),
      last_(last),
      rounded_(X, copy_for, most_bytes, first, last),
      threads_(traits_.concurrent ? threads : 1) {}

ColumnPart::ColumnPart(const Design& X, RoundedProducts rounded, Index before, int threads)
    : X_(X),
      traits_(X.traits()),
      first_(0),
      last_(X.cols()),
      before_(before),
      rounded_(std::move(rounded)),
      threads_(traits_.concurrent ? threads : 1) {}

/// Columns of X to read at a time, for right-hand sides of so many bytes: whole tiles of the kernels.
Index ColumnPart::piece_columns(double side_bytes) const {
  if (traits_.columns_a_call > 0) return traits_.columns_a_call;
  const double column_bytes = std::max(X_.bytes() / static_cast<double>(X_.cols()), 1.0);
  const double bytes = std::max(kPieceBytes, kRhsShare * side_bytes);
  return std::clamp(static_cast<Index>(bytes / column_bytes), kSmallestPiece, kLargestPiece) / 12 * 12;
}

void ColumnPart::first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                            std::uint64_t* digest, Counters& counters) {
  const Index n = X_.rows(), p = last_ - first_, count = weights.cols();
  null_products_.resize(p, null_u.cols());
  const Index sides = std::max(count, null_u.cols());
  const Index piece = piece_columns(static_cast<double>(n * sides) * sizeof(double));
  const Index pieces = (p + piece - 1) / piece;
  const Mat fingerprint = fingerprint_vector(digest != nullptr ? n : 0);
  std::vector<std::uint64_t> digests(static_cast<std::size_t>(pieces), 0);
  parallel_for(pieces, worth_threads(threads_, X_.multiplications(p, count + sides)), [&](Index c) {
    const Index at = c * piece, size = std::min(piece, p - at), first = first_ + at;
    std::vector<Index> columns(static_cast<std::size_t>(size));
    std::iota(columns.begin(), columns.end(), first);
    Mat mean(size, count), variance(size, count);
    X_.moments(columns, weights, mean, variance, 1);
    for (std::size_t f = 0; f < means.size(); ++f) {
      means[f].segment(first, size) = mean.col(static_cast<Index>(f));
      variances[f].segment(first, size) = variance.col(static_cast<Index>(f));
    }
    if (!variance.allFinite()) return;  // refused below
    if (null_u.cols() > 0) X_.correlate(columns, null_u, null_products_.middleRows(at, size), 1);
    if (rounded_.copies()) rounded_.encode(columns, mean.col(0));
    if (digest == nullptr) return;
    Mat products(size, 1);
    X_.correlate(columns, fingerprint, products, 1);
    digests[static_cast<std::size_t>(c)] = digest_of(columns, before_, products);
  });
  if (digest != nullptr) *digest += std::accumulate(digests.begin(), digests.end(), std::uint64_t{0});
  counters.columns_streamed += static_cast<double>(p);
  for (std::size_t f = 0; f < variances.size(); ++f) {
    check_moments(means[f], variances[f], first_, last_, numbers_, before_);
  }
}

void ColumnPart::move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work) {
  screen(problem).leave(out_of_work);
  screen(problem).enter(into_work);
}

std::vector<Candidate> ColumnPart::candidates(Index problem, const ScreeningQuery& query) {
  return screen(problem).estimate_candidates(query);
}

Index ColumnPart::bound(Index problem, std::span<const ScreeningQuery> round) {
  screen(problem).bound(round);
  return static_cast<Index>(screen(problem).columns_to_check().size());
}

std::vector<std::vector<Index>> ColumnPart::read_nearby(std::span<const Reading> readings, Counters& counters) {
  std::vector<std::vector<Index>> again(readings.size());
  std::vector<Pass> passes;
  std::vector<std::size_t> of;  // the readings that they are
  const bool null = null_products_.cols() > 0;
  for (const Reading& reading : readings) {
    ColumnScreen& mine = screen(reading.problem);
    mine.forget(reading.forgotten);
    if (mine.columns_to_check().empty()) continue;
    if (null && mine.asks_null()) {
      take_null(reading);
    } else {
      passes.push_back({&mine, &reading, mine.columns_to_check(), reading.rounded.has_value()});
      of.push_back(static_cast<std::size_t>(&reading - readings.data()));
    }
  }
  null_products_.resize(0, 0);
  read_pass(passes, counters);
  for (std::size_t k = 0; k < passes.size(); ++k) again[of[k]] = passes[k].screen->finish_pass(passes[k].columns);
  return again;
}

void ColumnPart::read_exactly(std::span<const Reading> readings, std::vector<std::vector<Index>> columns,
                              Counters& counters) {
  std::vector<Pass> passes;
  for (std::size_t k = 0; k < readings.size(); ++k) {
    if (columns[k].empty()) continue;
    passes.push_back({&screen(readings[k].problem), &readings[k], std::move(columns[k]), false});
  }
  read_pass(passes, counters);
  for (const Pass& pass : passes) pass.screen->finish_pass(pass.columns);
}

/// Products with the right-hand sides of a null fit, from those with its u.
Mat ColumnPart::null_products(const ReadingPlan& plan, Index problem, Columns columns) const {
  const Index outputs = static_cast<Index>(plan.begin.size()) - 1;
  Mat out(static_cast<Index>(columns.size()), plan.begin.back());
  for (Index k = 0; k < outputs; ++k) {
    const Index first = plan.begin[static_cast<std::size_t>(k)];
    const Index count = plan.begin[static_cast<std::size_t>(k) + 1] - first;
    assert(count <= 1);  // one right-hand side an output, or none when there is no residual left
    if (count == 0) continue;
    const double norm = std::abs(plan.coordinates(first, 0));
    for (std::size_t j = 0; j < columns.size(); ++j) {
      out(static_cast<Index>(j), first) = null_products_(columns[j] - first_, problem * outputs + k) / norm;
    }
  }
  return out;
}

/// Gives a problem what its null fit needs, from products of the columns with the u of that.
void ColumnPart::take_null(const Reading& reading) {
  ColumnScreen& mine = screen(reading.problem);
  const std::vector<Index>& columns = mine.columns_to_check();
  mine.begin_pass(reading.plan, 1);
  mine.add_block(0, columns, null_products(reading.plan, reading.problem, columns));
  mine.finish_pass(columns);
}

void ColumnPart::append_answer(Index problem, RoundAnswer& answer) const {
  const ColumnScreen& mine = *screens_[static_cast<std::size_t>(problem)];
  answer.add(mine.violators());
  answer.candidates.insert(answer.candidates.end(), mine.candidates().begin(), mine.candidates().end());
}

/// Gives every problem the products that it needs.
void ColumnPart::read_pass(const std::vector<Pass>& passes, Counters& counters) const {
  if (passes.empty()) return;
  const auto longest = std::max_element(
      passes.begin(), passes.end(), [](const Pass& a, const Pass& b) { return a.columns.size() < b.columns.size(); });
  double multiplications = 0.0, side_bytes = 0.0;
  for (const Pass& pass : passes) {
    multiplications += X_.multiplications(static_cast<Index>(pass.columns.size()), pass.rhs().cols());
    side_bytes = std::max(side_bytes, static_cast<double>(pass.rhs().size()) * sizeof(double));
    counters.products += static_cast<double>(pass.columns.size()) * static_cast<double>(pass.rhs().cols()) /
                         static_cast<double>(X_.cols());
  }
  const std::vector<Index>& columns = longest->columns;
  const Index piece = piece_columns(side_bytes), total = static_cast<Index>(columns.size());
  const Index pieces = (total + piece - 1) / piece;
  for (const Pass& pass : passes) pass.screen->begin_pass(pass.plan(), pieces);
  std::vector<Index> streamed(static_cast<std::size_t>(pieces), 0);
  parallel_for(pieces, worth_threads(threads_, multiplications), [&](Index c) {
    const Index first = c == 0 ? first_ : columns[static_cast<std::size_t>(c * piece)];
    const Index last = c + 1 == pieces ? last_ : columns[static_cast<std::size_t>((c + 1) * piece)];
    streamed[static_cast<std::size_t>(c)] = read_piece(passes, c, first, last);
  });
  const double fraction = passes.front().rounded ? rounded_.share() : 1.0;
  for (const Index count : streamed) counters.columns_streamed += fraction * static_cast<double>(count);
}

/// Reads those of the columns first .. last - 1 that some problem needs; returns how many they are.
Index ColumnPart::read_piece(const std::vector<Pass>& passes, Index piece, Index first, Index last) const {
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(last - first), 0);
  Mat out;
  for (const Pass& pass : passes) {
    const auto from = std::lower_bound(pass.columns.begin(), pass.columns.end(), first);
    const auto to = std::lower_bound(from, pass.columns.end(), last);
    if (from == to) continue;
    const Columns some(from, to);
    out.resize(static_cast<Index>(some.size()), pass.rhs().cols());
    if (pass.rounded) {
      rounded_.correlate(some, *pass.of->rounded, out);
    } else {
      X_.correlate(some, pass.rhs(), out, 1);
    }
    pass.screen->add_block(piece, some, out);
    for (const Index j : some) seen[static_cast<std::size_t>(j - first)] = 1;
  }
  return std::count(seen.begin(), seen.end(), std::uint8_t{1});
}

}  // namespace riata
