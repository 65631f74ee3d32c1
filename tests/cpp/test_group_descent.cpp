#include "solver/group_descent.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "check_design.hpp"
#include "riata/design/dense.hpp"

using namespace riata;

TEST_CASE("descent over groups ends where the KKT conditions hold, by the columns themselves") {
  const Index n = 60, p = 24;
  const Mat X = check::random_matrix(n, p, 5);
  const Vec y = X.leftCols(6).rowwise().sum() + check::random_matrix(n, 1, 6);
  const Vec omega = Vec::Constant(n, 1.0 / static_cast<double>(n));
  const auto design = dense_design(X.data(), n, p, 1, n);
  for (const double each : {0.0, 0.05}) {
    for (const Index size : {1, 2, 4, 8}) {
      CAPTURE(each);
      CAPTURE(size);
      const auto pool = design->make_pool();
      std::vector<Index> all(static_cast<std::size_t>(p));
      std::iota(all.begin(), all.end(), Index{0});
      pool->append(all, std::vector<double>(all.size(), 0.0), 1);
      Quadratic model(*pool, false, false, true, 1);
      model.set_working(all, std::vector<double>(all.size(), 1.0));
      const Vec u = omega.cwiseProduct(y);
      Vec b = Vec::Zero(p), c = X.transpose() * u;
      model.expand(&omega, u, b, c);
      const Penalties net(std::vector<GroupNorm>(static_cast<std::size_t>(p / size), GroupNorm{0.3, 0.1, each}), size);
      Counters counters;
      const Poll poll;
      GroupDescent descent;
      const InnerResult result = descent.solve({model, net, 1e-11, 100'000, counters, poll}, b, c);
      CHECK(result.converged);
      const Vec truth = X.transpose() * omega.cwiseProduct(y - X * b);
      check::close(c, truth, 1e-12);
      CHECK(net.worst_violation(b, truth) <= 2e-11);
      CHECK((b.array() != 0.0).any());
      CHECK((b.array() == 0.0).any());
    }
  }
}
