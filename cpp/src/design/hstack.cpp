#include "riata/design/hstack.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "design/pool.hpp"
#include "io/digest.hpp"

namespace riata {
namespace {

/// Where a column is: which part, and its number there.
struct Place {
  std::size_t part;
  Index column;
};

/// Columns of several parts as one design or pool: every operation goes to the parts, a run of columns at a time.
template <class Base>
class Stacked : public Base {
 public:
  using Base::Base;

  std::string_view kind() const override { return "hstack"; }

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
    for_runs(columns, [&](const Design& part, Columns local, Index at) {
      const Index size = static_cast<Index>(local.size());
      part.moments(local, weights, mean.middleRows(at, size), variance.middleRows(at, size), threads);
    });
  }

  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override {
    for_runs(columns, [&](const Design& part, Columns local, Index at) {
      part.correlate(local, R, out.middleRows(at, static_cast<Index>(local.size())), threads);
    });
  }

  void round_sides(MatOut R) const override {
    for (std::size_t k = 0; k < count(); ++k) part(k).round_sides(R);
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
    const Place at = place(j);
    return part(at.part).contiguous(at.column);
  }

 protected:
  virtual std::size_t count() const = 0;
  virtual const Design& part(std::size_t k) const = 0;
  virtual Place place(Index j) const = 0;

 private:
  /// Calls f(part, column numbers within it, place in `columns`) for each run of columns of one part.
  template <class F>
  void for_runs(Columns columns, F&& f) const {
    std::vector<Index> local;
    std::size_t begin = 0;
    while (begin < columns.size()) {
      const std::size_t k = place(columns[begin]).part;
      std::size_t end = begin;
      local.clear();
      for (Place at; end < columns.size() && (at = place(columns[end])).part == k; ++end) local.push_back(at.column);
      f(part(k), local, static_cast<Index>(begin));
      begin = end;
    }
  }
};

/// A pool of each part, so that genotypes stay packed and sparse columns sparse beside a few dense covariates.
class HStackPool final : public Stacked<Pool> {
 public:
  HStackPool(const std::function<Place(Index)>& source, std::vector<std::unique_ptr<Pool>> pools)
      : Stacked(pools.front()->rows(), 0), source_(source), pools_(std::move(pools)) {}

  void append(Columns columns, std::span<const double> shift, int threads) override {
    std::vector<Index> local;
    for (std::size_t begin = 0; begin < columns.size(); begin += local.size()) {
      const std::size_t k = source_(columns[begin]).part;
      local.clear();
      for (std::size_t end = begin; end < columns.size() && source_(columns[end]).part == k; ++end) {
        places_.push_back({k, pools_[k]->cols() + static_cast<Index>(local.size())});
        local.push_back(source_(columns[end]).column);
      }
      pools_[k]->append(local, shift.subspan(begin, local.size()), threads);
    }
    set_cols(static_cast<Index>(places_.size()));
  }

  double shift_of(Index k) const override { return pool_of(k).shift_of(place(k).column); }
  double dot(Index k, const double* u) const override { return pool_of(k).dot(place(k).column, u); }
  void axpy(Index k, double a, double* v) const override { pool_of(k).axpy(place(k).column, a, v); }
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override {
    pool_of(k).axpy_weighted(place(k).column, a, weight, v);
  }

  /// Blocks of one part by its own fast way, where any has one; the rest from columns of doubles.
  bool cross_products(Columns rows, Columns cols, const Vec& h, MatOut out, int threads) const override {
    const auto row_groups = by_part(rows), col_groups = by_part(cols);
    bool any = false;
    std::vector<std::uint8_t> done(pools_.size(), 0);
    Mat block;
    for (std::size_t k = 0; k < pools_.size(); ++k) {
      const Group &r = row_groups[k], &c = col_groups[k];
      if (r.column.empty() || c.column.empty()) continue;
      block.resize(static_cast<Index>(r.column.size()), static_cast<Index>(c.column.size()));
      if (!pools_[k]->cross_products(r.column, c.column, h, block, threads)) continue;
      out(r.at, c.at) = block;
      done[k] = 1;
      any = true;
    }
    if (!any) return false;
    for (std::size_t c = 0; c < pools_.size(); ++c) {
      for (std::size_t begin = 0; begin < col_groups[c].column.size(); begin += kSides) {
        const std::size_t size = std::min(kSides, col_groups[c].column.size() - begin);
        const Columns at(col_groups[c].at.data() + begin, size);
        Mat sides;
        for (std::size_t r = 0; r < pools_.size(); ++r) {
          const Group& group = row_groups[r];
          if (group.column.empty() || (r == c && done[c] != 0)) continue;
          if (sides.size() == 0) {
            sides.resize(this->rows(), static_cast<Index>(size));
            pools_[c]->gather(Columns(col_groups[c].column.data() + begin, size), sides, threads);
            sides.array().colwise() *= h.array();
          }
          block.resize(static_cast<Index>(group.column.size()), sides.cols());
          pools_[r]->correlate(group.column, sides, block, threads);
          out(group.at, at) = block;
        }
      }
    }
    return true;
  }

  std::size_t memory() const override {
    std::size_t sum = places_.capacity() * sizeof(Place);
    for (const auto& pool : pools_) sum += pool->memory();
    return sum;
  }

 private:
  static constexpr std::size_t kSides = 32;  // columns decoded at a time

  /// Columns of one part: their numbers there, and where they stand in the list.
  struct Group {
    std::vector<Index> column, at;
  };

  std::size_t count() const override { return pools_.size(); }
  const Design& part(std::size_t k) const override { return *pools_[k]; }
  Place place(Index k) const override { return places_[static_cast<std::size_t>(k)]; }
  const Pool& pool_of(Index k) const { return *pools_[place(k).part]; }

  std::vector<Group> by_part(Columns columns) const {
    std::vector<Group> groups(pools_.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Place at = place(columns[i]);
      groups[at.part].column.push_back(at.column);
      groups[at.part].at.push_back(static_cast<Index>(i));
    }
    return groups;
  }

  std::function<Place(Index)> source_;
  std::vector<std::unique_ptr<Pool>> pools_;
  std::vector<Place> places_;
};

class HStack final : public Stacked<Design> {
 public:
  HStack(std::vector<std::shared_ptr<const Design>> parts, Index cols)
      : Stacked(parts.front()->rows(), cols), parts_(std::move(parts)) {
    Index begin = 0;
    for (const auto& part : parts_) {
      begins_.push_back(begin);
      begin += part->cols();
    }
  }

  Traits traits() const override {
    Traits all{.in_place = true};
    Digest fingerprint;
    for (const auto& part : parts_) {
      const Traits one = part->traits();
      all.columns_a_call = std::max(all.columns_a_call, one.columns_a_call);
      all.concurrent = all.concurrent && one.concurrent;
      all.in_place = all.in_place && one.in_place;
      all.compact_pool = all.compact_pool || one.compact_pool;
      all.rounds = all.rounds || one.rounds;
      all.copy_pays = all.copy_pays && one.copy_pays;
      fingerprint.add(one.fingerprint);
      fingerprint.add(static_cast<std::uint64_t>(part->cols()));
    }
    all.fingerprint = fingerprint.value();
    return all;
  }

  std::unique_ptr<Pool> make_pool() const override {
    if (!traits().compact_pool) return Design::make_pool();  // one block of columns
    std::vector<std::unique_ptr<Pool>> pools;
    for (const auto& part : parts_) pools.push_back(part->make_pool());
    return std::make_unique<HStackPool>([this](Index j) { return place(j); }, std::move(pools));
  }

 private:
  std::size_t count() const override { return parts_.size(); }
  const Design& part(std::size_t k) const override { return *parts_[k]; }
  Place place(Index j) const override {
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), j);
    const auto k = static_cast<std::size_t>(after - begins_.begin()) - 1;
    return {k, j - begins_[k]};
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
