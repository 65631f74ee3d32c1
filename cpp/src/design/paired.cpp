#include "riata/design/paired.hpp"

#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "design/stacked.hpp"

namespace riata {
namespace {

class Paired final : public Stacked<Design> {
 public:
  Paired(std::vector<std::shared_ptr<const Design>> halves, std::vector<std::uint8_t> first)
      : Stacked(halves.front()->rows(), 2 * halves.front()->cols()),
        halves_(std::move(halves)),
        first_(std::move(first)) {}

  std::string_view kind() const override { return "paired"; }

  Traits traits() const override {
    Digest fingerprint;
    Traits all = traits_of_all(halves_, fingerprint);
    all.columns_a_call *= 2;  // half of them of each half
    fingerprint.add(first_.data(), first_.size());
    all.fingerprint = Digest::of("paired", {fingerprint.value()});
    return all;
  }

  std::shared_ptr<const Design> rows_subset(std::span<const Index> rows) const override {
    return paired_design(halves_[0]->rows_subset(rows), halves_[1]->rows_subset(rows), first_);
  }

  std::unique_ptr<Pool> make_pool() const override {
    if (!traits().compact_pool) return Design::make_pool();  // one block of columns
    std::vector<std::unique_ptr<Pool>> pools;
    for (const auto& half : halves_) pools.push_back(half->make_pool());
    return std::make_unique<StackedPool>(kind(), true, [this](Index j) { return place(j); }, std::move(pools));
  }

 private:
  std::size_t count() const override { return halves_.size(); }
  const Design& part(std::size_t k) const override { return *halves_[k]; }
  Place place(Index j) const override {
    const Index pair = j / 2;
    const std::size_t second = static_cast<std::size_t>(j % 2);
    return {first_[static_cast<std::size_t>(pair)] != 0 ? 1 - second : second, pair};
  }
  bool alternating() const override { return true; }

  std::vector<std::shared_ptr<const Design>> halves_;
  std::vector<std::uint8_t> first_;
};

std::string shape_of(const Design& X) {
  return std::to_string(X.rows()) + " x " + std::to_string(X.cols());
}

}  // namespace

std::unique_ptr<Design> paired_design(std::shared_ptr<const Design> left, std::shared_ptr<const Design> right,
                                      std::vector<std::uint8_t> first) {
  if (left == nullptr || right == nullptr) throw std::invalid_argument("left and right must be designs, got none");
  if (left->rows() != right->rows() || left->cols() != right->cols()) {
    throw std::invalid_argument("left and right must have equal shapes, got " + shape_of(*left) + " and " +
                                shape_of(*right));
  }
  if (static_cast<Index>(first.size()) != left->cols()) {
    throw std::invalid_argument("first must have one entry for each of " + std::to_string(left->cols()) +
                                " columns, got " + std::to_string(first.size()));
  }
  std::vector<std::shared_ptr<const Design>> halves{std::move(left), std::move(right)};
  return std::make_unique<Paired>(std::move(halves), std::move(first));
}

}  // namespace riata
