#pragma once

#include <cstddef>
#include <vector>

#include "riata/types.hpp"

namespace riata {

/// The nearest sequence that does not increase, in weighted least squares, by pooling adjacent violators (Barlow et al.
/// 1972): values are added one by one, and stand in blocks of a common mean, each below the one before.
class FallingMeans {
 public:
  /// Begins again.
  void clear() {
    blocks_.clear();
    size_ = 0;
  }
  /// Adds a value of some weight, by its product with that.
  void add(double sum, double weight) {
    blocks_.push_back({sum, weight, ++size_});
    while (blocks_.size() > 1 && !falls(blocks_[blocks_.size() - 2], blocks_.back())) {
      const Block last = blocks_.back();
      blocks_.pop_back();
      blocks_.back().sum += last.sum;
      blocks_.back().weight += last.weight;
      blocks_.back().end = last.end;
    }
  }
  /// Calls fn(first, end, mean) for each block of values, in order.
  template <class Fn>
  void for_each(const Fn& fn) const {
    Index first = 0;
    for (const Block& block : blocks_) {
      fn(first, block.end, mean(block));
      first = block.end;
    }
  }

 private:
  struct Block {
    double sum, weight;
    Index end;
  };
  static double mean(const Block& block) { return block.sum / block.weight; }
  /// By products, in which equal values stay equal whatever they have been pooled with.
  static bool falls(const Block& before, const Block& after) {
    return before.sum * after.weight > after.sum * before.weight;
  }

  std::vector<Block> blocks_;
  Index size_ = 0;
};

}  // namespace riata
