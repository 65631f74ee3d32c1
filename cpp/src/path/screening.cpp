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

/// Sets the residual whose products are bounded and estimated.
void Screening::set_query(const Vec& rho, ScreeningQuery query) {
  query_ = std::move(query);
  query_.n_outside = n_outside_;
  query_.residual.resize(reference_.size());
  const Index n = rho.size() / outputs_;
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    query_.residual[k] = reference_[k].query(rho.segment(static_cast<Index>(k) * n, n));
  }
}

std::vector<Candidate> Screening::candidates(const Vec& rho, ScreeningQuery query) {
  set_query(rho, std::move(query));
  return columns_.candidates(problem_, query_);
}

Index Screening::count_undecided(const Vec& rho, ScreeningQuery query) {
  set_query(rho, std::move(query));
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

void Screening::begin_round(Vec rho, ScreeningQuery query) {
  set_query(rho, std::move(query));
  rho_ = std::move(rho);
  undecided_ = 0;
  asks_ = true;
}

void Screening::go_on(Index undecided, const Vec& last) {
  asks_ = false;
  undecided_ = undecided;
  if (needs_reading()) open_block(last);
}

void Screening::open_block(const Vec& last) {
  const Index n = rho_.size() / outputs_;
  begin_.assign(1, 0);
  forgotten_.clear();
  rhs_.resize(n, kMaxBasis * outputs_);
  coordinates_.resize(rhs_.cols());
  for (Index k = 0; k < outputs_; ++k) {
    const Vec mine = rho_.segment(k * n, n), before = last.segment(k * n, n);
    ReferenceSubspace& reference = reference_[static_cast<std::size_t>(k)];
    const Mat& basis = reference.open_block(std::array{&mine, &before});
    const Index first = begin_.back();
    rhs_.middleCols(first, basis.cols()) = basis;
    coordinates_.segment(first, basis.cols()) = reference.coordinates(mine);
    begin_.push_back(first + basis.cols());
    forgotten_.push_back(reference.forgotten());
  }
  rhs_.conservativeResize(Eigen::NoChange, begin_.back());
  coordinates_.conservativeResize(begin_.back());
}

/// For right-hand sides that are rhs_ itself, or `rounded` ones near it.
ReadingPlan Screening::plan_for(const Mat& used, bool rounded) {
  ReadingPlan plan{rounded, begin_, used.colwise().sum(), coordinates_, {}};
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    if (rounded) reference_[k].replace_sides(used.middleCols(begin_[k], begin_[k + 1] - begin_[k]));
    plan.open.push_back(reference_[k].open());
  }
  return plan;
}

Reading Screening::reading() {
  Reading out{problem_, &rhs_, {}, {}, {}, forgotten_};
  // For the null fit products with nearby right-hand sides decide nothing.
  if (columns_.rounded().offered() && query_.lambda < kInfinity) {
    out.rounded = columns_.rounded().round(rhs_);
    out.rounded_plan = plan_for(out.rounded->used, true);
  }
  out.plan = plan_for(rhs_, false);
  return out;
}

}  // namespace riata
