#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <vector>

#include "check_design.hpp"
#include "plink_files.hpp"
#include "riata/design/plink.hpp"

using riata::Columns;
using riata::CountedAllele;
using riata::Index;
using riata::Mat;
using riata::PlinkDesign;
using riata::Vec;
using riata::check::BedFile;

TEST_CASE("packed columns make a working set") {
  for (const Index n : {1, 37, 64, 131, 700}) {
    CAPTURE(n);
    const Mat x = riata::check::example(n, 13);
    const BedFile file(riata::check::encode(x));
    riata::check::each_isa([&] {
      for (const auto counted : {CountedAllele::A1, CountedAllele::A2}) {
        const PlinkDesign design(file.path, n, 13, counted, {}, 1);
        riata::check::pool(design, riata::check::impute(x, counted, {}));
      }
    });
  }
}

TEST_CASE("packed columns are less their shift, exactly") {
  const Index n = 9003, p = 14;
  const Mat x = riata::check::example(n, p);
  const BedFile file(riata::check::encode(x));
  std::vector<double> shift(p);
  for (std::size_t k = 0; k < p; ++k) shift[k] = 0.1 * static_cast<double>(k) - 0.3;
  shift[7] = std::numeric_limits<double>::quiet_NaN();
  riata::check::each_isa([&] {
    const PlinkDesign design(file.path, n, p, CountedAllele::A1, {}, 1);
    Mat dense = riata::check::impute(x, CountedAllele::A1, {});
    const auto pool = design.make_pool();
    const auto all = riata::check::all_columns(design);
    pool->append(Columns(all).first(5), std::span(shift).first(5), 1);
    pool->append(Columns(all).subspan(5), std::span(shift).subspan(5), 2);
    for (Index k = 0; k < p; ++k) {
      const double by = k == 7 ? 0.0 : shift[static_cast<std::size_t>(k)];
      CHECK(pool->shift_of(k) == by);
      dense.col(k).array() -= by;
    }
    riata::check::operations(*pool, dense);
    const Mat u = riata::check::random_matrix(n, 2, 3);
    for (Index k = 0; k < p; ++k) {
      Vec v = u.col(0);
      pool->axpy_weighted(k, 0.5, u.col(1).data(), v.data());
      riata::check::close(v, u.col(0) + 0.5 * u.col(1).cwiseProduct(dense.col(k)), 1e-13);
      const Mat c = riata::check::correlate(*pool, std::vector<Index>{k}, u.col(0));
      CHECK(pool->dot(k, u.col(0).data()) == c(0, 0));
    }
  });
}

TEST_CASE("packed columns take a thirtieth of the memory of doubles") {
  const Index n = 4000, p = 30;
  const BedFile file(riata::check::encode(riata::check::example(n, p)));
  const PlinkDesign design(file.path, n, p, CountedAllele::A1, {}, 1);
  const auto pool = design.make_pool();
  pool->append(riata::check::all_columns(design), std::vector<double>(p, 0.5), 1);
  CHECK(pool->memory() * 30 < static_cast<std::size_t>(n * p) * sizeof(double));
}
