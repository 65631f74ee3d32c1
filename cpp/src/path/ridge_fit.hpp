#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "certify/duality_gap.hpp"
#include "path/result_writer.hpp"
#include "path/sample_ridge.hpp"
#include "solver/column_norms.hpp"

/// What ridges in the space of samples keep of each problem, from their null fits to their results.
namespace riata {

/// Weight vectors that differ, n x groups, and which of them each problem has.
struct DistinctWeights {
  explicit DistinctWeights(const std::vector<Problem>& problems);
  Mat of;
  std::vector<Index> group;
};

/// The null fit of a problem: eta, and with unpenalised features the result that has their coefficients.
struct RidgeNull {
  Vec eta;
  const PathResult* fit = nullptr;
};

/// One problem of a ridge: its result, and the solutions in the space of samples that are on their way there.
struct RidgeFit {
  RidgeFit(const SharedPool& shared, Response response, const Features& features, const PathOptions& options, Vec mean,
           Vec variance);

  /// Makes the fit ready for its first lambda. `raw` are the columns `unpenalised` of X, `null_c` the products of every
  /// column with the null residual, `kernel` K of its weights.
  void start(const Features& features, const PathOptions& options, const Mat& raw,
             const std::vector<Index>& unpenalised, const RidgeNull& null, const Vec& null_c, const Mat& kernel);

  const PathResult& result() const { return writer.result(); }
  Index fitted() const { return static_cast<Index>(result().alphas.size()); }
  Vec predicted(Index point) const { return writer.predicted(point); }
  void told(Index point) { writer.told(point); }

  /// How columns first .. first + size - 1 are scaled: centre, 1 over the scale, penalty factor and 1 over it, where it
  /// is not 0; the places of those without a penalty are `free`. All are 0 for columns of no use.
  struct Scaling {
    Vec centre, inverse, factor, over;
    std::vector<Index> free;
  };
  Scaling scaling(const Features& features, Index first, Index size) const;

  bool leaves_at_most(double share, std::size_t i) const { return writer.leaves_at_most(share, i); }

  std::unique_ptr<Loss> loss;
  StandardizedColumns columns;
  PenaltyFamily penalty;
  WorkingSet none;
  LinearPredictor predictor;
  DualityGap gap;
  ResultWriter writer;
  std::vector<Index> free, usable;  // features without a penalty; those that vary
  double gap_unit = 0.0;
  std::optional<SampleRidge> ridge;
  std::optional<RidgeBasis> basis;         // of all solutions, where there is one
  std::vector<SampleRidge::Point> points;  // solved, not certified yet
  Mat in_basis;                            // and what they are there

 private:
  RidgeFit(const SharedPool& shared, Response& response, const Features& features, const PathOptions& options,
           Vec& mean, Vec& scale, ColumnNorms norms);
};

}  // namespace riata
