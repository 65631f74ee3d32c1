#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "design/pool.hpp"
#include "plink_files.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"
#include "riata/design/paired.hpp"
#include "riata/design/plink.hpp"

using namespace riata;
using riata::check::BedFile;

namespace {

using Shared = std::shared_ptr<const Design>;

/// Columns of two matrices side by side, the pairs with first[j] != 0 turned.
Mat interleaved(const Mat& left, const Mat& right, const std::vector<std::uint8_t>& first) {
  Mat out(left.rows(), 2 * left.cols());
  for (Index j = 0; j < left.cols(); ++j) {
    const bool turned = first[static_cast<std::size_t>(j)] != 0;
    out.col(2 * j) = turned ? right.col(j) : left.col(j);
    out.col(2 * j + 1) = turned ? left.col(j) : right.col(j);
  }
  return out;
}

std::vector<std::uint8_t> coins(Index p) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(p));
  for (std::size_t j = 0; j < out.size(); ++j) out[j] = static_cast<std::uint8_t>(j * j % 5 % 2);
  return out;
}

/// The same numbers, those of few distinct small values, in several storages.
struct Half {
  Half(Index n, Index p, unsigned seed)
      : X(((1.5 * check::random_matrix(n, p, seed)).array().round() + 0.0).matrix()),  // no negative zeros
        single(X.cast<float>()),
        small(X.cast<std::int8_t>()) {
    for (Index j = 0; j < p; ++j) {
      for (Index i = 0; i < n; ++i) {
        if (X(i, j) == 0.0) continue;
        indices.push_back(static_cast<std::int32_t>(i));
        values.push_back(X(i, j));
      }
      indptr.push_back(static_cast<std::int32_t>(indices.size()));
    }
  }
  std::vector<Shared> storages() const {
    const Index n = X.rows(), p = X.cols();
    const auto sparse = [&] {
      return Shared(csc_design(n, p, static_cast<Index>(indices.size()), indptr.data(), indices.data(), values.data()));
    };
    const Shared few = dense_design(X.data(), n, 2, 1, n);
    return {dense_design(X.data(), n, p, 1, n), dense_design(single.data(), n, p, p, 1),
            dense_design(small.data(), n, p, 1, n), sparse(),
            hstack_design({few, dense_design(X.data() + 2 * n, n, p - 2, 1, n)})};
  }
  Mat X;
  Eigen::Matrix<float, -1, -1, Eigen::RowMajor> single;
  Eigen::Matrix<std::int8_t, -1, -1> small;
  std::vector<std::int32_t> indptr{0}, indices;
  std::vector<double> values;
};

}  // namespace

TEST_CASE("pairs of columns of every storage act as the columns side by side") {
  for (const Index n : {1, 6, 61}) {
    const Half left(n, 7, 1), right(n, 7, 2);
    const auto first = coins(7);
    const Mat dense = interleaved(left.X, right.X, first);
    const auto lefts = left.storages(), rights = right.storages();
    for (std::size_t a = 0; a < lefts.size(); ++a) {
      CAPTURE(n);
      CAPTURE(a);
      const std::size_t b = (2 * a + 1) % rights.size();
      const auto X = paired_design(lefts[a], rights[b], first);
      CHECK(X->kind() == "paired");
      CHECK(X->bytes() == lefts[a]->bytes() + rights[b]->bytes());
      check::traits(*X);
      check::operations(*X, dense);
      check::pool(*X, dense);
    }
  }
}

TEST_CASE("pairs of genotypes stay packed, and multiply rounded sides exactly") {
  const Index n = 131, p = 9;
  const Mat left = check::example(n, p);
  Mat right(n, p);
  for (Index i = 0; i < n; ++i) right.row(i) = left.row((7 * i + 3) % n);
  const BedFile one(check::encode(left)), other(check::encode(right));
  const auto first = coins(p);
  std::vector<std::uint8_t> include(static_cast<std::size_t>(n), 1);
  for (std::size_t i = 0; i < include.size(); i += 4) include[i] = 0;
  for (const auto& rows : {std::vector<std::uint8_t>{}, include}) {
    const Mat dense =
        interleaved(check::impute(left, CountedAllele::A1, rows), check::impute(right, CountedAllele::A1, rows), first);
    check::each_isa([&] {
      const auto a = std::make_shared<PlinkDesign>(one.path, n, p, CountedAllele::A1, rows, 1);
      const auto b = std::make_shared<PlinkDesign>(other.path, n, p, CountedAllele::A1, rows, 1);
      const auto X = paired_design(a, b, first);
      CHECK(X->traits().compact_pool);
      CHECK(X->traits().rounds == a->traits().rounds);
      check::operations(*X, dense);
      check::pool(*X, dense);
      Mat R = check::random_matrix(n, 2, 5);
      X->round_sides(R);
      Mat same = R;
      a->round_sides(same);
      CHECK(check::same_bits(same, R));
      const auto all = check::all_columns(*X);
      check::close(check::correlate_rounded(*X, all, R), dense.transpose() * R, 1e-11);

      const auto pool = X->make_pool();
      const std::vector<Index> order{7, 16, 0, 17, 3, 12, 6, 5, 9, 1, 2};
      pool->append(order, std::vector<double>(order.size(), 0.0), 1);
      const Mat held = dense(Eigen::all, order);
      check::operations(*pool, held);
      const std::vector<Index> r{0, 2, 3, 1, 10, 4}, c{8, 1, 5, 6, 0, 3, 7};
      const Vec h = Vec::Constant(n, 0.25);
      Mat out = Mat::Constant(6, 7, 99.0);
      if (pool->cross_products(r, c, h, out, 2)) {
        check::close(out, held(Eigen::all, r).transpose() * h.asDiagonal() * held(Eigen::all, c), 1e-11);
      } else {
        CHECK((out.array() == 99.0).all());
      }
    });
  }
}

TEST_CASE("the order inside pairs is part of what identifies them") {
  const Half left(8, 4, 1), right(8, 4, 2);
  const Shared a = dense_design(left.X.data(), 8, 4, 1, 8), b = dense_design(right.X.data(), 8, 4, 1, 8);
  const auto X = paired_design(a, b, {0, 1, 0, 0});
  CHECK(X->contiguous(0) == left.X.data());
  CHECK(X->contiguous(1) == right.X.data());
  CHECK(X->contiguous(2) == right.X.data() + 8);
  CHECK(X->contiguous(3) == left.X.data() + 8);
  CHECK(X->traits().fingerprint != paired_design(a, b, {0, 1, 0, 1})->traits().fingerprint);
  CHECK(X->traits().fingerprint != hstack_design({a, b})->traits().fingerprint);
}

TEST_CASE("paired designs keep their halves alive and refuse what does not fit") {
  const Mat a = check::random_matrix(5, 2, 4);
  std::unique_ptr<Design> X;
  {
    Shared half = dense_design(a.data(), 5, 2, 1, 5);
    X = paired_design(half, half, {0, 0});
  }
  CHECK(check::gather(*X, std::vector<Index>{3, 0}) == Mat(a(Eigen::all, std::vector<Index>{1, 0})));
  const Shared two = dense_design(a.data(), 5, 2, 1, 5), one = dense_design(a.data(), 5, 1, 1, 5);
  CHECK_THROWS_WITH_AS(paired_design(two, one, {0, 0}), "left and right must have equal shapes, got 5 x 2 and 5 x 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(paired_design(two, nullptr, {0, 0}), "left and right must be designs, got none",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(paired_design(two, two, {0}), "first must have one entry for each of 2 columns, got 1",
                       std::invalid_argument);
}
