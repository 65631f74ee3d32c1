#include "solver/sample_products.hpp"

#include <doctest/doctest.h>

#include "check_design.hpp"

using namespace riata;

TEST_CASE("few columns add their products, the same for any number of threads") {
  for (const Index n : {1, 23, 24, 25, 130, 600}) {
    for (const Index columns : {1, 7, 60}) {  // of the last and most rows enough for two threads
      const Mat z = check::random_matrix(n, columns, 4);
      const Vec w = check::random_matrix(columns, 1, 5);
      const Mat weighted = w.asDiagonal() * z.transpose(), before = check::random_matrix(n, n, 6);
      Mat K = before + before.transpose(), two = K;
      const Mat want = K + z * weighted;
      add_column_products(z, weighted, 1, K);
      CHECK((K - want).norm() <= 1e-13 * want.norm());
      CHECK((K - K.transpose()).norm() == 0.0);
      add_column_products(z, weighted, 2, two);
      CHECK((K - two).norm() == 0.0);
    }
  }
}
