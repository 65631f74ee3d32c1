#include "certify/column_screen.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

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
  violators_.clear();
}

void ColumnScreen::bound(std::span<const ScreeningQuery> round) {
  skip();
  round_.assign(round.begin(), round.end());
  violators_.resize(round.size());
  std::vector<Index> needed;
  for (const ScreeningQuery& query : round_) {
    query_ = query;
    candidates_.clear();
    columns_to_check_.clear();
    bound_columns();
    if (needed.empty()) {
      std::swap(needed, columns_to_check_);
      continue;
    }
    std::vector<Index> both;
    std::set_union(needed.begin(), needed.end(), columns_to_check_.begin(), columns_to_check_.end(),
                   std::back_inserter(both));
    needed = std::move(both);
  }
  columns_to_check_ = std::move(needed);
  if (round_.size() == 1) return;
  // What the last lambda has decided is read all the same for another one.
  std::erase_if(candidates_, [&](const Candidate& candidate) {
    return std::binary_search(columns_to_check_.begin(), columns_to_check_.end(), candidate.second);
  });
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

/// Inner products of a feature with the sides of an output, its block's basis first, from its products as they came.
void ColumnScreen::store(const ReadingPlan& plan, std::size_t output, Index j, const MatIn& products, Index row,
                         double* basis) {
  const Index first = plan.begin[output], last = plan.begin[output + 1];
  const double centre = columns_.centre(j), scale = columns_.scale()[j];
  const double* const sums = plan.sums.data();
  for (Index t = first; t < last; ++t) basis[t - first] = (products(row, t) - centre * sums[t]) / scale;
  reference_[output].store(j - first_, basis, plan.open[output]);
}

void ColumnScreen::recall(const ReadingPlan& plan, Columns columns, const MatIn& products) {
  std::vector<double> basis(static_cast<std::size_t>(std::max<Index>(products.cols(), kMaxBasis)));
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
  const Index lambdas = plan_.coordinates.cols();
  std::vector<double> basis(static_cast<std::size_t>(std::max<Index>(plan_.coordinates.rows(), kMaxBasis)));
  std::vector<Vec> c(static_cast<std::size_t>(lambdas), Vec(outputs_)), slack = c;
  Mat norms(outputs_, lambdas);
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    norms.row(static_cast<Index>(k)) =
        plan_.coordinates.middleRows(plan_.begin[k], plan_.begin[k + 1] - plan_.begin[k]).colwise().norm();
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Index j = columns[i];
    for (std::size_t k = 0; k < reference_.size(); ++k) {
      const Index first = plan_.begin[k], last = plan_.begin[k + 1], output = static_cast<Index>(k);
      store(plan_, k, j, products, static_cast<Index>(i), basis.data());
      for (Index q = 0; q < lambdas; ++q) {
        const double* const along = plan_.coordinates.col(q).data() + first;
        double sum = 0.0;
        for (Index t = 0; t < last - first; ++t) sum += basis[static_cast<std::size_t>(t)] * along[t];
        c[static_cast<std::size_t>(q)][output] = sum;
        const double error =
            plan_.rounded ? reference_[k].error(j - first_, plan_.replaced(output, q)) : product_noise(j);
        slack[static_cast<std::size_t>(q)][output] = error * norms(output, q);
      }
    }
    classify(piece, j, c, slack);
  }
}

/// Bounds the rounding of the inner product of a column, as it is stored, with a residual of length 1.
double ColumnScreen::product_noise(Index j) const {
  return kProductError * (reference_[0].norm(j - first_) + std::abs(columns_.mean()[j]) / columns_.scale()[j]);
}

}  // namespace riata
