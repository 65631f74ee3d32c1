#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include "check_design.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "riata/design/hstack.hpp"

using namespace riata;

namespace {

/// float64, float32 and int8 matrices and a sparse one, with the dense copy of them side by side.
struct Parts {
  explicit Parts(Index n)
      : a(check::random_matrix(n, 4, 1)),
        b(check::random_matrix(n, 5, 2).cast<float>()),
        c((3.0 * check::random_matrix(n, 2, 3)).cast<std::int8_t>()),
        indptr{0, 1, 1, static_cast<std::int32_t>(n > 2 ? 3 : 1)},
        indices{static_cast<std::int32_t>(n - 1), 0, 1},
        values{2.5, -1.0, 4.0} {
    dense = Mat::Zero(n, 14);
    dense.leftCols(4) = a;
    dense.middleCols(4, 5) = b.cast<double>();
    dense.middleCols(9, 2) = c.cast<double>();
    dense(n - 1, 11) = 2.5;
    if (n > 2) {
      dense(0, 13) = -1.0;
      dense(1, 13) = 4.0;
    }
    parts.push_back(dense_design(a.data(), n, 4, 1, n));
    parts.push_back(dense_design(b.data(), n, 5, 5, 1));
    parts.push_back(dense_design(c.data(), n, 2, 1, n));
    parts.push_back(csc_design(n, 3, indptr.back(), indptr.data(), indices.data(), values.data()));
  }
  Mat a;
  Eigen::Matrix<float, -1, -1, Eigen::RowMajor> b;
  Eigen::Matrix<std::int8_t, -1, -1> c;
  std::vector<std::int32_t> indptr, indices;
  std::vector<double> values;
  Mat dense;
  std::vector<std::shared_ptr<const Design>> parts;
};

}  // namespace

TEST_CASE("designs side by side act as one") {
  for (const Index n : {1, 6, 61}) {
    CAPTURE(n);
    const Parts parts(n);
    const auto X = hstack_design(parts.parts);
    CHECK(X->kind() == "hstack");
    double bytes = 0.0;
    for (const auto& part : parts.parts) bytes += part->bytes();
    CHECK(X->bytes() == bytes);
    check::traits(*X);
    check::operations(*X, parts.dense);
    check::pool(*X, parts.dense);
  }
}

TEST_CASE("columns of an hstack lie where those of its parts do") {
  const Parts parts(8);
  const auto X = hstack_design(parts.parts);
  CHECK(X->contiguous(2) == parts.a.data() + 2 * 8);
  CHECK(X->contiguous(5) == nullptr);
  CHECK(X->contiguous(12) == nullptr);
}

TEST_CASE("storages say how they hold their numbers") {
  const Parts parts(8);
  for (const auto& part : parts.parts) check::traits(*part);
  CHECK(parts.parts[0]->traits().in_place);
  CHECK(!parts.parts[0]->traits().compact_pool);
  CHECK(parts.parts[3]->traits().compact_pool);
  std::set<std::uint64_t> fingerprints;
  for (const auto& part : parts.parts) fingerprints.insert(part->traits().fingerprint);
  CHECK(fingerprints.size() == 4);
  const Mat rows = parts.a.transpose();
  const auto across = dense_design(rows.data(), 8, 4, 4, 1);
  CHECK(!across->traits().in_place);
  CHECK(fingerprints.count(across->traits().fingerprint) == 0);

  const auto both = hstack_design({parts.parts[0], parts.parts[3]});
  CHECK(!both->traits().in_place);
  CHECK(both->traits().compact_pool);
  CHECK(both->traits().copy_pays);
  CHECK(both->traits().fingerprint != hstack_design({parts.parts[3], parts.parts[0]})->traits().fingerprint);
  CHECK(hstack_design({parts.parts[0], parts.parts[0]})->traits().in_place);
}

TEST_CASE("an hstack keeps its parts alive") {
  const Mat a = check::random_matrix(5, 2, 4);
  std::unique_ptr<Design> X;
  {
    std::shared_ptr<const Design> part = dense_design(a.data(), 5, 2, 1, 5);
    X = hstack_design({part, part});
  }
  CHECK(check::gather(*X, std::vector<Index>{3, 0}) == Mat(a(Eigen::all, std::vector<Index>{1, 0})));
}

TEST_CASE("an hstack refuses no parts and unequal row counts") {
  CHECK_THROWS_WITH_AS(hstack_design({}), "parts must hold at least one design", std::invalid_argument);
  const Mat a = Mat::Zero(5, 2);
  CHECK_THROWS_WITH_AS(hstack_design({dense_design(a.data(), 5, 2, 1, 5), dense_design(a.data(), 4, 2, 1, 5)}),
                       "parts must have equal row counts, got 5 and 4", std::invalid_argument);
}
