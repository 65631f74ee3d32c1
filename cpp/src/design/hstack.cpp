#include "riata/design/hstack.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "design/side_by_side.hpp"
#include "design/stacked.hpp"

namespace riata {
namespace {

class HStack final : public Stacked<Design>, public SideBySide {
 public:
  HStack(std::vector<std::shared_ptr<const Design>> parts, Index cols)
      : Stacked(parts.front()->rows(), cols), parts_(std::move(parts)) {
    Index begin = 0;
    for (const auto& part : parts_) {
      begins_.push_back(begin);
      begin += part->cols();
    }
  }

  std::string_view kind() const override { return "hstack"; }

  std::vector<const Design*> designs() const override {
    std::vector<const Design*> out;
    for (const auto& part : parts_) out.push_back(part.get());
    return out;
  }

  Traits traits() const override {
    Digest fingerprint;
    Traits all = traits_of_all(parts_, fingerprint);
    all.fingerprint = fingerprint.value();
    return all;
  }

  std::shared_ptr<const Design> rows_subset(std::span<const Index> rows) const override {
    std::vector<std::shared_ptr<const Design>> subsets;
    for (const auto& part : parts_) subsets.push_back(part->rows_subset(rows));
    return hstack_design(std::move(subsets));
  }

  std::unique_ptr<Pool> make_pool() const override {
    if (!traits().compact_pool) return Design::make_pool();  // one block of columns
    std::vector<std::unique_ptr<Pool>> pools;
    for (const auto& part : parts_) pools.push_back(part->make_pool());
    return std::make_unique<StackedPool>(kind(), false, [this](Index j) { return place(j); }, std::move(pools));
  }

 private:
  std::size_t count() const override { return parts_.size(); }
  const Design& part(std::size_t k) const override { return *parts_[k]; }
  Place place(Index j) const override {
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), j);
    const auto k = static_cast<std::size_t>(after - begins_.begin()) - 1;
    return {k, j - begins_[k]};
  }
  bool alternating() const override { return false; }

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
