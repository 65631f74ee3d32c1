#pragma once

#include <span>

#include "loss/loss.hpp"
#include "solver/standardized_columns.hpp"
#include "solver/working_set.hpp"

namespace riata {

/// eta = Xs b + intercept + offset of coefficients on the working set, n x K.
class LinearPredictor {
 public:
  LinearPredictor(const Loss& loss, const StandardizedColumns& columns, const WorkingSet& work, bool intercept,
                  Vec offset)
      : loss_(loss), columns_(columns), work_(work), intercept_(intercept), offset_(std::move(offset)) {}

  bool intercept() const { return intercept_; }
  /// Empty when there is none.
  const Vec& offset() const { return offset_; }

  /// Of several b, from the data, side by side; without the intercepts.
  Mat without_intercepts(std::span<const Vec* const> coefficients) const {
    Mat out = columns_.multiply(work_.features(), coefficients);
    if (offset_.size() > 0) {
      const Index n = out.rows(), outputs = offset_.size() / n;
      for (Index q = 0; q < out.cols(); ++q) out.col(q) += offset_.segment(q % outputs * n, n);
    }
    return out;
  }
  Vec without_intercepts(const Vec& b) const {
    const Vec* const one = &b;
    return without_intercepts(std::span(&one, 1)).reshaped();
  }

  /// Finds the intercepts for an eta without them, starting at g, and adds them.
  void add_intercepts(Vec& eta, Vec& g) const {
    if (!intercept_) return;
    g = loss_.intercepts(eta, g);
    const Index n = eta.size() / g.size();
    for (Index k = 0; k < g.size(); ++k) eta.segment(k * n, n).array() += g[k];
  }

 private:
  const Loss& loss_;
  const StandardizedColumns& columns_;
  const WorkingSet& work_;
  bool intercept_;
  Vec offset_;
};

}  // namespace riata
