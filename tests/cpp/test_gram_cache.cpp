#include "solver/gram_cache.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"

using namespace riata;

namespace {

Mat block_of(GramCache& gram, const std::vector<Index>& features) {
  Mat out(static_cast<Index>(features.size()), static_cast<Index>(features.size()));
  gram.block(features, out);
  return out;
}

/// A model of so many outputs on random columns, and its Gram matrix by definition.
struct Setting {
  Setting(Index outputs, Index p)
      : X(check::random_matrix(40, p, 3)),
        h(Vec::LinSpaced(40, 0.5, 1.5)),
        design(dense_design(X.data(), 40, p, 1, 40)),
        pool(design->make_pool()),
        model(*pool, false, false, true, 1, outputs) {
    std::vector<Index> all(static_cast<std::size_t>(p));
    std::iota(all.begin(), all.end(), Index{0});
    pool->append(all, std::vector<double>(all.size(), 0.0), 1);
    model.set_working(all, std::vector<double>(all.size(), 1.0));
    const Vec zero = Vec::Zero(p * outputs);
    model.expand(&h, Vec::Zero(40 * outputs), zero, zero);
  }
  void check_block(GramCache& gram, const std::vector<Index>& features) const {
    const Mat some = X(Eigen::all, features);
    check::close(block_of(gram, features), some.transpose() * h.asDiagonal() * some, 1e-11);
  }

  Mat X;
  Vec h;
  std::unique_ptr<Design> design;
  std::unique_ptr<Pool> pool;
  Quadratic model;
};

}  // namespace

TEST_CASE("a Gram matrix grows with the features that are asked for, in any order") {
  for (const Index outputs : {1, 3}) {
    Setting s(outputs, 30);
    GramCache gram;
    gram.ensure(s.model, std::vector<Index>{4, 9, 2});
    s.check_block(gram, {4, 9, 2});
    s.check_block(gram, {2, 4});
    gram.ensure(s.model, std::vector<Index>{9, 20, 0});
    s.check_block(gram, {20, 4, 0, 2, 9});
  }
}

TEST_CASE("features that leave the working set leave the Gram matrix, others take their new number along") {
  Setting s(1, 6);
  GramCache gram;
  gram.ensure(s.model, std::vector<Index>{0, 1, 3, 5});
  const Mat before = block_of(gram, {0, 3, 5});
  gram.working_set_changed(std::vector<Index>{2, -1, 0, 1, 3, 4});
  CHECK(check::same_bits(block_of(gram, {2, 1, 4}), before));
}

TEST_CASE("features that have not been asked for in a while are dropped, and made again when they are") {
  Setting s(1, 200);
  GramCache gram;
  std::vector<Index> many(120);
  std::iota(many.begin(), many.end(), Index{0});
  gram.ensure(s.model, many);
  for (Index j = 150; j < 200; j += 10) gram.ensure(s.model, std::vector<Index>{j});
  s.check_block(gram, {190});
  gram.ensure(s.model, many);
  s.check_block(gram, {0, 60, 119});
}
