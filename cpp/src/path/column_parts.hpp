#pragma once

#include <span>
#include <vector>

#include "path/column_part.hpp"

namespace riata {

/// The columns of X, divided into parts and asked as one: what is said of a call is said in ColumnPart, and answers are
/// put together in the order of the columns.
class ColumnParts {
 public:
  /// `parts` of about the same size.
  ColumnParts(const Design& X, std::span<const Index> numbers, Index parts, Index copy_for, double most_bytes,
              int threads, Counters& counters);

  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest);
  /// Bytes of copies.
  double memory() const;
  /// See RoundedProducts::errors().
  Vec copy_errors() const;
  /// First column of each part, and the number of columns.
  std::vector<Index> cuts() const;
  const RoundedProducts& rounded() const { return parts_.front().rounded(); }
  /// A problem, by what ColumnScreen::make() asks for. Returns its number.
  Index add_problem(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms,
                    Index outputs, bool full_working_set, int threads);

  void move(Index problem, std::span<const Index> into_work, std::span<const Index> out_of_work);
  void fetch(std::span<const Index> features, SharedPool& pool, int threads, Counters& counters) const;
  std::vector<Candidate> candidates(Index problem, const ScreeningQuery& query);
  Index bound(Index problem, const ScreeningQuery& query);
  void skip(Index problem);
  void read(std::span<const Reading> readings);
  RoundAnswer answer(Index problem) const;

  template <class Archive>
  void state(Archive& archive, Index problem) {
    for (ColumnPart& part : parts_) part.state(archive, problem);
  }

 private:
  std::vector<ColumnPart> parts_;
  Index problems_ = 0;
  Counters& counters_;
};

}  // namespace riata
