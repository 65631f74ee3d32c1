#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "design/pool.hpp"
#include "io/digest.hpp"

namespace riata {

/// Where a column is: which part, and its number there.
struct Place {
  std::size_t part;
  Index column;
};

/// Columns of one part among a list: their numbers there, and where they stand in the list.
struct PartColumns {
  std::size_t part = 0;
  std::vector<Index> column, at;

  bool together() const { return at.back() - at.front() + 1 == static_cast<Index>(at.size()); }
};

/// Columns of several parts as one design or pool: every operation goes to the parts, a run of columns of one part at a
/// time, or, where the parts alternate, all columns of a part at once.
template <class Base>
class Stacked : public Base {
 public:
  using Base::Base;

  double bytes() const override {
    double sum = 0.0;
    for (std::size_t k = 0; k < count(); ++k) sum += part(k).bytes();
    return sum;
  }

  double multiplications(Index columns, Index sides) const override {
    double all = 0.0;
    for (std::size_t k = 0; k < count(); ++k) {
      if (part(k).cols() > 0) all += part(k).multiplications(part(k).cols(), sides);
    }
    return all * static_cast<double>(columns) / static_cast<double>(std::max<Index>(this->cols(), 1));
  }

  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override {
    for_rows(columns, mean, [&](const PartColumns& group, MatOut means) {
      Mat variances(means.rows(), means.cols());
      part(group.part).moments(group.column, weights, means, variances, threads);
      variance(group.at, Eigen::all) = variances;
    });
  }

  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    for_rows(columns, out, [&](const PartColumns& group, MatOut found) {
      part(group.part).correlate(group.column, R, found, threads);
    });
  }

  void round_sides(MatOut R) const override {
    for (std::size_t k = 0; k < count(); ++k) part(k).round_sides(R);
  }

  void correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    for_rows(columns, out, [&](const PartColumns& group, MatOut found) {
      part(group.part).correlate_rounded(group.column, R, found, threads);
    });
  }

  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override {
    out.setZero();
    Mat term(out.rows(), out.cols());
    for (const PartColumns& group : groups(columns)) {
      if (group.together()) {
        part(group.part).multiply(group.column, B.middleRows(group.at.front(), size(group)), term, threads);
      } else {
        const Mat own = B(group.at, Eigen::all);
        part(group.part).multiply(group.column, own, term, threads);
      }
      out += term;
    }
  }

  void gather(Columns columns, MatOut out, int threads) const override {
    Mat found;
    for (const PartColumns& group : groups(columns)) {
      if (group.together()) {
        part(group.part).gather(group.column, out.middleCols(group.at.front(), size(group)), threads);
        continue;
      }
      for (std::size_t begin = 0; begin < group.at.size(); begin += kAtOnce) {
        const std::size_t number = std::min(kAtOnce, group.at.size() - begin);
        found.resize(out.rows(), static_cast<Index>(number));
        part(group.part).gather(Columns(group.column).subspan(begin, number), found, threads);
        for (std::size_t k = 0; k < number; ++k) out.col(group.at[begin + k]) = found.col(static_cast<Index>(k));
      }
    }
  }

  const double* contiguous(Index j) const override {
    const Place at = place(j);
    return part(at.part).contiguous(at.column);
  }

 protected:
  virtual std::size_t count() const = 0;
  virtual const Design& part(std::size_t k) const = 0;
  virtual Place place(Index j) const = 0;
  /// Whether neighbours are of different parts, so that runs of one part would be short.
  virtual bool alternating() const = 0;

  /// Columns split into those of one part: runs, or all of each part where they alternate.
  std::vector<PartColumns> groups(Columns columns) const {
    std::vector<PartColumns> out;
    if (alternating()) {
      for (PartColumns& group : by_part(columns)) {
        if (!group.at.empty()) out.push_back(std::move(group));
      }
      return out;
    }
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Place at = place(columns[k]);
      if (out.empty() || out.back().part != at.part) out.push_back({at.part, {}, {}});
      out.back().column.push_back(at.column);
      out.back().at.push_back(static_cast<Index>(k));
    }
    return out;
  }

  /// The columns of every part, some of which may have none.
  std::vector<PartColumns> by_part(Columns columns) const {
    std::vector<PartColumns> out(count());
    for (std::size_t k = 0; k < out.size(); ++k) out[k].part = k;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Place at = place(columns[i]);
      out[at.part].column.push_back(at.column);
      out[at.part].at.push_back(static_cast<Index>(i));
    }
    return out;
  }

 private:
  static constexpr std::size_t kAtOnce = 64;  // columns gathered beside their destination

  static Index size(const PartColumns& group) { return static_cast<Index>(group.at.size()); }

  /// Calls f(group, rows of `out` that are its) for each group of columns.
  template <class F>
  void for_rows(Columns columns, MatOut out, F&& f) const {
    Mat found;
    for (const PartColumns& group : groups(columns)) {
      if (group.together()) {
        f(group, out.middleRows(group.at.front(), size(group)));
        continue;
      }
      found.resize(size(group), out.cols());
      f(group, found);
      out(group.at, Eigen::all) = found;
    }
  }
};

/// A pool of each part, so that genotypes stay packed and sparse columns sparse beside a few dense covariates.
class StackedPool final : public Stacked<Pool> {
 public:
  /// `source` says where a column of the design is; it is asked while the design lives.
  StackedPool(std::string_view kind, bool alternating, std::function<Place(Index)> source,
              std::vector<std::unique_ptr<Pool>> pools);

  std::string_view kind() const override { return kind_; }
  void append(Columns columns, std::span<const double> shift, int threads) override;
  double shift_of(Index k) const override { return pool_of(k).shift_of(place(k).column); }
  double dot(Index k, const double* u) const override { return pool_of(k).dot(place(k).column, u); }
  void axpy(Index k, double a, double* v) const override { pool_of(k).axpy(place(k).column, a, v); }
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override {
    pool_of(k).axpy_weighted(place(k).column, a, weight, v);
  }
  /// Blocks of one part by its own fast way, where any has one; the rest from columns of doubles.
  bool cross_products(Columns rows, Columns cols, const Vec& h, MatOut out, int threads) const override;
  std::size_t memory() const override;

 private:
  std::size_t count() const override { return pools_.size(); }
  const Design& part(std::size_t k) const override { return *pools_[k]; }
  Place place(Index k) const override { return places_[static_cast<std::size_t>(k)]; }
  bool alternating() const override { return alternating_; }
  const Pool& pool_of(Index k) const { return *pools_[place(k).part]; }

  std::string_view kind_;
  bool alternating_;
  std::function<Place(Index)> source_;
  std::vector<std::unique_ptr<Pool>> pools_;
  std::vector<Place> places_;
};

/// What holds of designs that are read as one; their fingerprints and sizes go into `fingerprint`.
Traits traits_of_all(const std::vector<std::shared_ptr<const Design>>& parts, Digest& fingerprint);

}  // namespace riata
