#pragma once

#include <span>
#include <vector>

#include "penalty/elastic_net.hpp"
#include "solver/quadratic.hpp"
#include "solver/room.hpp"

namespace riata {

/// K = sum_j x_j x_j' / r_j, n x n, over features whose elastic net has l2_j = lambda r_j, and the sum of
/// sign_j (l1_j / l2_j) x_j, kept while features come and go and lambda changes. Where there is an intercept columns
/// are less what was their mean when they came, so that K is right up to a number common to the rows of any product.
class SampleGram {
 public:
  static constexpr Index kColumns = 512;  // at a time: what the kernels sum before they go on

  void clear();
  /// Features that come or go in one call are taken as columns of the model; `sign` has +1 or -1 for those that are to
  /// be in, else 0. Costs n^2 / 2 multiplications for each that changes.
  void assign(Quadratic& model, std::span<const signed char> sign, std::span<const ElasticNet> net, double lambda);
  /// Old number of a feature -> new number or -1.
  void working_set_changed(std::span<const Index> new_number);

  Index size() const { return static_cast<Index>(members_.size()); }
  const Mat& matrix() const { return K_; }
  /// sum_j x_j b_j where b_j = (c_j - sign_j l1_j) / l2_j and c_j = x_j'u, into out.
  void combine(const Vec& u, double lambda, int threads, Vec& out) const;
  /// K u.
  void multiply(const Vec& u, int threads, Vec& out) const;

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(members_, made_, K_, slopes_, changes_);
    archive.rooms(present_, going_, coming_, features_, centres_, columns_, rows_, weights_);
    if constexpr (Archive::reading) find_lines();
  }

 private:
  struct Member {
    Index feature;
    double sign;
    double ridge;  // l2 / lambda
    double slope;  // l1 / l2
    double centre;
  };
  bool keeps(std::span<const ElasticNet> net, double lambda) const;
  void add(Quadratic& model, std::span<const Member> members, double sign);
  void find_lines();

  std::vector<Member> members_;
  bool made_ = false;
  Mat K_;
  Vec slopes_;         // sum of sign slope x
  Index changes_ = 0;  // since K was made from nothing
  std::vector<const double*> lines_;
  // Scratch.
  std::vector<char> present_;
  std::vector<Member> going_, coming_;
  std::vector<Index> features_;
  std::vector<double> centres_;
  Room columns_, rows_, weights_;
};

}  // namespace riata
