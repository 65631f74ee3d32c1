#include "riata/design/hstack.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace riata {
namespace {

class HStack : public Design {
 public:
  HStack(std::vector<std::shared_ptr<const Design>> parts, Index cols)
      : Design(parts.front()->rows(), cols), parts_(std::move(parts)) {
    Index begin = 0;
    for (const auto& part : parts_) {
      begins_.push_back(begin);
      begin += part->cols();
    }
  }

  std::string_view kind() const override { return "hstack"; }

  double bytes() const override {
    double sum = 0.0;
    for (const auto& part : parts_) sum += part->bytes();
    return sum;
  }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    for_runs(columns, [&](const Design& part, Columns local, Index at) {
      const Index count = static_cast<Index>(local.size());
      part.moments(local, weights, mean.middleRows(at, count), variance.middleRows(at, count), threads);
    });
  }

  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    for_runs(columns, [&](const Design& part, Columns local, Index at) {
      part.correlate(local, R, out.middleRows(at, static_cast<Index>(local.size())), threads);
    });
  }

  bool rounds() const override {
    return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->rounds(); });
  }

  void round_sides(MatOut R) const override {
    for (const auto& part : parts_) part->round_sides(R);
  }

  void correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    for_runs(columns, [&](const Design& part, Columns local, Index at) {
      part.correlate_rounded(local, R, out.middleRows(at, static_cast<Index>(local.size())), threads);
    });
  }

  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    out.setZero();
    Mat term(out.rows(), out.cols());
    for_runs(columns, [&](const Design& part, Columns local, Index at) {
      part.multiply(local, B.middleRows(at, static_cast<Index>(local.size())), term, threads);
      out += term;
    });
  }

  void gather(Columns columns, MatOut out, int threads) const override {
    for_runs(columns, [&](const Design& part, Columns local, Index at) {
      part.gather(local, out.middleCols(at, static_cast<Index>(local.size())), threads);
    });
  }

  const double* contiguous(Index j) const override {
    const std::size_t k = part_of(j);
    return parts_[k]->contiguous(j - begins_[k]);
  }

 private:
  std::size_t part_of(Index j) const {
    return static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), j) - begins_.begin()) - 1;
  }

  /// Calls f(part, column numbers within it, place in `columns`) for each run of columns of one part.
  template <class F>
  void for_runs(Columns columns, F&& f) const {
    std::vector<Index> local;
    std::size_t begin = 0;
    while (begin < columns.size()) {
      const std::size_t k = part_of(columns[begin]);
      std::size_t end = begin;
      local.clear();
      while (end < columns.size() && part_of(columns[end]) == k) local.push_back(columns[end++] - begins_[k]);
      f(*parts_[k], local, static_cast<Index>(begin));
      begin = end;
    }
  }

  std::vector<std::shared_ptr<const Design>> parts_;
  std::vector<Index> begins_;
};

}  // namespace

std::unique_ptr<Design> hstack_design(std::vector<std::shared_ptr<const Design>> parts) {
  if (parts.empty()) throw std::invalid_argument("parts must hold at least one design");
  Index cols = 0;
  for (const auto& part : parts) {
    if (part == nullptr) throw std::invalid_argument("parts must hold designs only, got none in place of one");
    if (part->rows() != parts.front()->rows()) {
      throw std::invalid_argument("parts must have equal row counts, got " + std::to_string(parts.front()->rows()) +
                                  " and " + std::to_string(part->rows()));
    }
    cols += part->cols();
  }
  return std::make_unique<HStack>(std::move(parts), cols);
}

}  // namespace riata
