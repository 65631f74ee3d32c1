#include "design/stacked.hpp"

namespace riata {
namespace {

constexpr std::size_t kSides = 32;  // columns decoded at a time

}  // namespace

StackedPool::StackedPool(std::string_view kind, bool alternating, std::function<Place(Index)> source,
                         std::vector<std::unique_ptr<Pool>> pools)
    : Stacked(pools.front()->rows(), 0),
      kind_(kind),
      alternating_(alternating),
      source_(std::move(source)),
      pools_(std::move(pools)) {}

void StackedPool::append(Columns columns, std::span<const double> shift, int threads) {
  std::vector<std::vector<Index>> local(pools_.size());
  std::vector<std::vector<double>> shifts(pools_.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Place at = source_(columns[i]);
    places_.push_back({at.part, pools_[at.part]->cols() + static_cast<Index>(local[at.part].size())});
    local[at.part].push_back(at.column);
    shifts[at.part].push_back(shift[i]);
  }
  for (std::size_t k = 0; k < pools_.size(); ++k) {
    if (!local[k].empty()) pools_[k]->append(local[k], shifts[k], threads);
  }
  set_cols(static_cast<Index>(places_.size()));
}

bool StackedPool::cross_products(Columns rows, Columns cols, const Vec& h, MatOut out, int threads) const {
  const auto row_groups = by_part(rows), col_groups = by_part(cols);
  bool any = false;
  std::vector<std::uint8_t> done(pools_.size(), 0);
  Mat block;
  for (std::size_t k = 0; k < pools_.size(); ++k) {
    const PartColumns &r = row_groups[k], &c = col_groups[k];
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
        const PartColumns& group = row_groups[r];
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

std::size_t StackedPool::memory() const {
  std::size_t sum = places_.capacity() * sizeof(Place);
  for (const auto& pool : pools_) sum += pool->memory();
  return sum;
}

Traits traits_of_all(const std::vector<std::shared_ptr<const Design>>& parts, Digest& fingerprint) {
  Traits all{.in_place = true};
  double packed = 0.0, copied = 0.0;  // bytes of parts whose rows are worth taking, and, as doubles, of the others
  for (const auto& part : parts) {
    const Traits one = part->traits();
    all.columns_a_call = std::max(all.columns_a_call, one.columns_a_call);
    all.concurrent = all.concurrent && one.concurrent;
    all.in_place = all.in_place && one.in_place;
    all.compact_pool = all.compact_pool || one.compact_pool;
    all.rounds = all.rounds || one.rounds;
    all.copy_pays = all.copy_pays && one.copy_pays;
    (one.subset_pays ? packed : copied) +=
        one.subset_pays ? part->bytes() : 8.0 * static_cast<double>(part->rows()) * static_cast<double>(part->cols());
    fingerprint.add(one.fingerprint);
    fingerprint.add(static_cast<std::uint64_t>(part->cols()));
  }
  all.subset_pays = packed > copied;
  return all;
}

}  // namespace riata
