#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "path/column_part.hpp"
#include "path/path_fit.hpp"

namespace riata {

/// The columns of X, divided into parts, and the passes over them that all problems share.
class StreamingPass {
 public:
  /// `parts` of about the same size. The others as in ColumnPart.
  StreamingPass(const Design& X, std::span<const Index> numbers, Index parts, Index copy_for, double most_bytes,
                int threads, Counters& counters);

  /// See ColumnPart::first_pass().
  void first_pass(const Mat& weights, const Mat& null_u, std::vector<Vec>& means, std::vector<Vec>& variances,
                  std::uint64_t* digest);
  /// Bytes of copies.
  double memory() const;
  /// See RoundedProducts::errors().
  Vec copy_errors() const;
  /// First column of each part, and the number of columns.
  std::vector<Index> cuts() const;

  /// Gives every pending problem the products that it needs.
  void serve(std::span<const std::unique_ptr<PathFit>> problems);

 private:
  /// What a problem has read in one pass.
  struct Asking {
    Screening* problem;
    std::optional<RoundedProducts::Sides> rounded;
    ReadingPlan plan;
    std::vector<std::vector<Index>> columns;  // of each part
  };
  void serve_null(std::span<const std::unique_ptr<PathFit>> problems);
  void read(std::vector<Asking>& asking);

  std::vector<ColumnPart> parts_;
  Counters& counters_;
};

}  // namespace riata
