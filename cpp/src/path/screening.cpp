#include "path/screening.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace riata {

Screening::Screening(ColumnParts& columns, const Loss& loss, const PenaltyFamily& penalty,
                     const StandardizedColumns& scaled, const ColumnNorms& norms, bool full_working_set, int threads)
    : columns_(columns),
      problem_(columns.add_problem(penalty, scaled, norms, loss.outputs(), full_working_set, threads)),
      outputs_(loss.outputs()),
      n_outside_(std::count(norms.usable.begin(), norms.usable.end(), true)),
      reference_(static_cast<std::size_t>(outputs_)) {
  for (ReferenceSubspace& reference : reference_) reference.setup(loss.omega(), norms.copy_error.size() > 0);
}

void Screening::move(std::span<const Index> into_work, std::span<const Index> out_of_work) {
  columns_.move(problem_, into_work, out_of_work);
  n_outside_ += static_cast<Index>(out_of_work.size()) - static_cast<Index>(into_work.size());
}

/// What is asked at a residual.
ScreeningQuery Screening::at(const Vec& rho, ScreeningQuery query) const {
  query.n_outside = n_outside_;
  query.residual.resize(reference_.size());
  const Index n = rho.size() / outputs_;
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    query.residual[k] = reference_[k].query(rho.segment(static_cast<Index>(k) * n, n));
  }
  return query;
}

std::vector<Candidate> Screening::candidates(const Vec& rho, ScreeningQuery query) {
  return columns_.candidates(problem_, at(rho, std::move(query)));
}

Index Screening::count_undecided(const Vec& rho, ScreeningQuery query) {
  round_.assign(1, at(rho, std::move(query)));
  Ask all = ask();
  columns_.bound({&all, 1}, 1);
  skip_round();
  return all.undecided;
}

void Screening::skip_round() {
  columns_.skip(problem_);
  undecided_ = 0;
  asks_ = false;
}

void Screening::begin_round(std::vector<Vec> residuals, std::vector<ScreeningQuery> round) {
  round_.clear();
  for (std::size_t q = 0; q < round.size(); ++q) round_.push_back(at(residuals[q], std::move(round[q])));
  residuals_ = std::move(residuals);
  undecided_ = 0;
  asks_ = true;
}

void Screening::go_on(Index undecided, const Vec& last) {
  asks_ = false;
  undecided_ = undecided;
  read_ = needs_reading();
  if (!ahead_) {
    if (read_) open_block(last);
  } else if (!read_) {
    for (ReferenceSubspace& reference : reference_) reference.withdraw_block();
    ahead_.reset();
  }
}

/// What null fits need is known from the first pass, and blocks that are forgotten do not come back.
bool Screening::can_read_ahead() const {
  return round_.front().lambda < kInfinity &&
         std::none_of(reference_.begin(), reference_.end(), [](const ReferenceSubspace& each) { return each.full(); });
}

void Screening::read_ahead(const Vec& last) {
  open_block(last);
  ahead_ = reading();
}

/// Of several residuals the last two span the block. Only the last is in it exactly: the others are read beside it.
void Screening::open_block(const Vec& last) {
  const std::size_t count = residuals_.size();
  const Index n = last.size() / outputs_;
  begin_.assign(1, 0);
  forgotten_.clear();
  beside_.assign(reference_.size(), std::vector<Index>(count, -1));
  const Index most = (kMaxBasis + static_cast<Index>(count) - 1) * outputs_;
  rhs_.resize(n, most);
  coordinates_ = Mat::Zero(most, static_cast<Index>(count));
  for (Index k = 0; k < outputs_; ++k) {
    const auto of_output = [&](const Vec& rho) -> Vec { return rho.segment(k * n, n); };
    const Vec mine = of_output(residuals_.back()), before = of_output(count > 1 ? residuals_[count - 2] : last);
    ReferenceSubspace& reference = reference_[static_cast<std::size_t>(k)];
    const Mat& basis = reference.open_block(std::array{&mine, &before});
    const Index first = begin_.back();
    Index next = first + basis.cols();
    rhs_.middleCols(first, basis.cols()) = basis;
    for (std::size_t q = 0; q < count; ++q) {
      const Index column = static_cast<Index>(q);
      if (q + 1 == count) {
        coordinates_.col(column).segment(first, basis.cols()) = reference.coordinates(mine);
        continue;
      }
      const ReferenceSubspace::Beside beside = reference.beside(of_output(residuals_[q]));
      if (beside.side.size() == 0) continue;
      rhs_.col(next) = beside.side;
      coordinates_(next, column) = beside.length;
      beside_[static_cast<std::size_t>(k)][q] = next++;
    }
    begin_.push_back(next);
    forgotten_.push_back(reference.forgotten());
  }
  rhs_.conservativeResize(Eigen::NoChange, begin_.back());
  coordinates_.conservativeResize(begin_.back(), Eigen::NoChange);
}

/// For right-hand sides that are rhs_ itself, or `rounded` ones near it.
ReadingPlan Screening::plan_for(const Mat& used, bool rounded) {
  ReadingPlan plan{rounded, begin_, used.colwise().sum(), coordinates_, Mat::Zero(outputs_, coordinates_.cols()), {}};
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    ReferenceSubspace& reference = reference_[k];
    if (rounded) reference.replace_sides(used.middleCols(begin_[k], reference.open().size));
    plan.open.push_back(reference.open());
    for (std::size_t q = 0; q < residuals_.size() && rounded; ++q) {
      const Index side = beside_[k][q];
      plan.replaced(static_cast<Index>(k), static_cast<Index>(q)) =
          side < 0 ? plan.open.back().replaced : reference.replacement(rhs_.col(side), used.col(side));
    }
  }
  return plan;
}

Reading Screening::reading() {
  if (ahead_) return *std::exchange(ahead_, std::nullopt);
  Reading out{problem_, &rhs_, {}, {}, {}, forgotten_};
  // For the null fit products with nearby right-hand sides decide nothing.
  if (columns_.rounded().offered() && round_.front().lambda < kInfinity) {
    out.rounded = columns_.rounded().round(rhs_);
    out.rounded_plan = plan_for(out.rounded->used, true);
  }
  out.plan = plan_for(rhs_, false);
  return out;
}

}  // namespace riata
