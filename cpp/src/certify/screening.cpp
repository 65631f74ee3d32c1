#include "certify/screening.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

namespace riata {

Screening::Screening(const Loss& loss, bool copies)
    : outputs_(loss.outputs()), reference_(static_cast<std::size_t>(outputs_)) {
  for (ReferenceSubspace& reference : reference_) reference.setup(loss.omega(), copies);
}

void Screening::add_part(std::unique_ptr<ColumnScreen> part, Index usable) {
  parts_.push_back(std::move(part));
  n_outside_ += usable;
}

void Screening::enter(std::span<const Index> features) {
  for (const auto& part : parts_) part->enter(features);
  n_outside_ -= static_cast<Index>(features.size());
}

void Screening::leave(std::span<const Index> features) {
  for (const auto& part : parts_) part->leave(features);
  n_outside_ += static_cast<Index>(features.size());
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
  std::vector<Candidate> out;
  for (const auto& part : parts_) {
    const std::vector<Candidate> mine = part->estimate_candidates(query_);
    out.insert(out.end(), mine.begin(), mine.end());
  }
  return out;
}

Index Screening::count_undecided(const Vec& rho, ScreeningQuery query) {
  set_query(rho, std::move(query));
  Index count = 0;
  for (const auto& part : parts_) {
    part->bound(query_);
    count += static_cast<Index>(part->needed().size());
  }
  skip_round();
  return count;
}

void Screening::skip_round() {
  for (const auto& part : parts_) part->skip();
}

bool Screening::needs_reading() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return !part->needed().empty(); });
}

void Screening::begin_round(const Vec& rho, const Vec& last, ScreeningQuery query) {
  set_query(rho, std::move(query));
  for (const auto& part : parts_) part->bound(query_);
  if (needs_reading()) open_block(rho, last);
}

void Screening::open_block(const Vec& rho, const Vec& last) {
  const Index n = rho.size() / outputs_;
  plan_.begin.assign(1, 0);
  rhs_.resize(n, kMaxBasis * outputs_);
  plan_.coordinates.resize(rhs_.cols());
  std::vector<Index> forgotten;
  for (Index k = 0; k < outputs_; ++k) {
    const Vec mine = rho.segment(k * n, n), before = last.segment(k * n, n);
    ReferenceSubspace& reference = reference_[static_cast<std::size_t>(k)];
    const Mat& basis = reference.open_block(std::array{&mine, &before});
    const Index first = plan_.begin.back();
    rhs_.middleCols(first, basis.cols()) = basis;
    plan_.coordinates.segment(first, basis.cols()) = reference.coordinates(mine);
    plan_.begin.push_back(first + basis.cols());
    forgotten.push_back(reference.forgotten());
  }
  rhs_.conservativeResize(Eigen::NoChange, plan_.begin.back());
  plan_.coordinates.conservativeResize(plan_.begin.back());
  for (const auto& part : parts_) part->forget(forgotten);
}

const ReadingPlan& Screening::begin_pass(const Mat& used, bool rounded) {
  plan_.rounded = rounded;
  plan_.sums = used.colwise().sum();
  plan_.open.clear();
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    if (rounded) {
      reference_[k].replace_sides(used.middleCols(plan_.begin[k], plan_.begin[k + 1] - plan_.begin[k]));
    }
    plan_.open.push_back(reference_[k].open());
  }
  return plan_;
}

void Screening::add_null(std::size_t i, Index first_column, const MatIn& products) {
  ColumnScreen& part = *parts_[i];
  const std::vector<Index>& needed = part.needed();
  const ReadingPlan& plan = begin_pass(rhs_, false);
  Mat of_rhs(static_cast<Index>(needed.size()), rhs_.cols());
  for (std::size_t k = 0; k < reference_.size(); ++k) {
    const Index first = plan.begin[k];
    // One right-hand side an output, or none when there is no residual left.
    assert(plan.begin[k + 1] - first <= 1);
    if (plan.begin[k + 1] == first) continue;
    const double norm = std::abs(plan.coordinates[first]);
    for (std::size_t j = 0; j < needed.size(); ++j) {
      of_rhs(static_cast<Index>(j), first) = products(needed[j] - first_column, static_cast<Index>(k)) / norm;
    }
  }
  part.begin_pass(plan, 1);
  part.add_block(0, needed, of_rhs);
  part.finish_pass(needed);
}

Violators Screening::violators() const {
  Violators out;
  for (const auto& part : parts_) out.add(part->violators());
  return out;
}

std::vector<Candidate> Screening::found_candidates() const {
  std::vector<Candidate> out;
  for (const auto& part : parts_) out.insert(out.end(), part->candidates().begin(), part->candidates().end());
  return out;
}

}  // namespace riata
