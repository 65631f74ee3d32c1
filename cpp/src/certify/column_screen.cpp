#include "certify/column_screen.hpp"

#include <array>
#include <cmath>

#include "certify/group_screen.hpp"
#include "certify/separable_screen.hpp"
#include "certify/slope_screen.hpp"

namespace riata {

std::unique_ptr<ColumnScreen> ColumnScreen::make(const PenaltyFamily& penalty, const StandardizedColumns& columns,
                                                 const ColumnNorms& norms, Index first, Index last, Index outputs,
                                                 bool full_working_set, int threads) {
  switch (penalty.kind()) {
    case PenaltyKind::kGroups:
      return std::make_unique<GroupScreen>(penalty, columns, norms, first, last, outputs, full_working_set, threads);
    case PenaltyKind::kSlope:
      return std::make_unique<SlopeScreen>(penalty, columns, norms, first, last, outputs, full_working_set, threads);
    default:
      return std::make_unique<SeparableScreen>(penalty, columns, norms, first, last, outputs, full_working_set,
                                               threads);
  }
}

ColumnScreen::ColumnScreen(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms,
                           Index first, Index last, Index outputs, bool full_working_set, int threads)
    : penalty_(penalty),
      columns_(columns),
      first_(first),
      last_(last),
      outputs_(outputs),
      full_working_set_(full_working_set),
      threads_(threads),
      reference_(static_cast<std::size_t>(outputs)) {
  const auto mine = [&](const Vec& v) { return v.size() > 0 ? Vec(v.segment(first, last - first)) : Vec(); };
  for (ReferenceColumns& reference : reference_) {
    reference.setup(mine(norms.norm), mine(norms.noise), mine(norms.copy_error), norms.largest_norm);
    for (Index j = first; j < last; ++j) {
      if (!norms.usable[static_cast<std::size_t>(j)]) continue;
      reference.set_limit(j - first, penalty.l1_ratio() * penalty.factor(j));
    }
  }
}

void ColumnScreen::enter(std::span<const Index> features) {
  for (ReferenceColumns& reference : reference_) {
    for (const Index j : features) {
      if (holds(j)) reference.clear_limit(j - first_);
    }
  }
}

void ColumnScreen::leave(std::span<const Index> features) {
  for (ReferenceColumns& reference : reference_) {
    for (const Index j : features) {
      if (holds(j)) reference.set_limit(j - first_, penalty_.l1_ratio() * penalty_.factor(j));
    }
  }
}

void ColumnScreen::forget(std::span<const Index> blocks) {
  for (std::size_t k = 0; k < blocks.size(); ++k) reference_[k].forget(blocks[k]);
}

void ColumnScreen::skip() {
  columns_to_check_.clear();
  candidates_.clear();
  violators_ = {};
}

void ColumnScreen::bound(const ScreeningQuery& query) {
  skip();
  query_ = query;
  bound_columns();
}

void ColumnScreen::need_all() {
  for (Index j = first_; j < last_; ++j) {
    if (is_outside(j)) columns_to_check_.push_back(j);
  }
}

void ColumnScreen::begin_pass(const ReadingPlan& plan, Index pieces) {
  plan_ = plan;
  begin_pieces(pieces);
}

/// Inner products of a feature with the basis of an output's block, from its products as they came.
void ColumnScreen::store(const ReadingPlan& plan, std::size_t output, Index j, const MatIn& products, Index row,
                         double* basis) {
  const Index first = plan.begin[output], last = plan.begin[output + 1];
  const double centre = columns_.centre(j), scale = columns_.scale()[j];
  for (Index t = first; t < last; ++t) basis[t - first] = (products(row, t) - centre * plan.sums[t]) / scale;
  reference_[output].store(j - first_, basis, plan.open[output]);
}

void ColumnScreen::recall(const ReadingPlan& plan, Columns columns, const MatIn& products) {
  std::array<double, kMaxBasis> basis{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t k = 0; k < reference_.size(); ++k) {
      store(plan, k, columns[i], products, static_cast<Index>(i), basis.data());
    }
  }
}

void ColumnScreen::copy_numbers(Index feature, float* to) const {
  for (const ReferenceColumns& reference : reference_) {
    reference.copy_numbers(feature - first_, to);
    to += kMaxBasis + 1;
  }
}

void ColumnScreen::restore(Index feature, std::uint8_t block, const float* numbers) {
  for (ReferenceColumns& reference : reference_) {
    reference.restore(feature - first_, block, numbers);
    numbers += kMaxBasis + 1;
  }
}

void ColumnScreen::add_block(Index piece, Columns columns, const MatIn& products) {
  std::array<double, kMaxBasis> basis{};
  Vec c(outputs_), slack = Vec::Zero(outputs_), norms(outputs_);
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    norms[static_cast<Index>(k)] =
        plan_.coordinates.segment(plan_.begin[k], plan_.begin[k + 1] - plan_.begin[k]).norm();
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Index j = columns[i];
    c.setZero();
    for (std::size_t k = 0; k < reference_.size(); ++k) {
      const Index first = plan_.begin[k], last = plan_.begin[k + 1], output = static_cast<Index>(k);
      store(plan_, k, j, products, static_cast<Index>(i), basis.data());
      for (Index t = first; t < last; ++t)
        c[output] += basis[static_cast<std::size_t>(t - first)] * plan_.coordinates[t];
      const double error = plan_.rounded ? reference_[k].error(j - first_, plan_.open[k]) : product_noise(j);
      slack[output] = error * norms[output];
    }
    classify(piece, j, c, slack);
  }
}

/// Bounds the rounding of the inner product of a column, as it is stored, with a residual of length 1.
double ColumnScreen::product_noise(Index j) const {
  return kProductError * (reference_[0].norm(j - first_) + std::abs(columns_.mean()[j]) / columns_.scale()[j]);
}

}  // namespace riata
