#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "check_design.hpp"
#include "checkpoint/archive.hpp"
#include "riata/design/csc.hpp"
#include "riata/design/dense.hpp"
#include "solver/quadratic.hpp"

using namespace riata;

namespace {

constexpr Index n = 37, p = 70;  // more than one block of columns

/// A pool of all columns of X, in a scrambled order, and what a quadratic on them should say, from dense formulas.
struct Setting {
  Setting(bool sparse, bool intercept, bool uniform) : with_intercept(intercept) {
    X = check::random_matrix(n, p, 1).array() + 2.0;
    if (sparse) X = (X.array() > 2.7).select(X, 0.0);
    if (sparse) {
      indptr.push_back(0);
      for (Index j = 0; j < p; ++j) {
        for (Index i = 0; i < n; ++i) {
          if (X(i, j) == 0.0) continue;
          indices.push_back(static_cast<std::int32_t>(i));
          values.push_back(X(i, j));
        }
        indptr.push_back(static_cast<std::int32_t>(values.size()));
      }
      design = csc_design(n, p, static_cast<Index>(values.size()), indptr.data(), indices.data(), values.data());
    } else {
      design = dense_design(X.data(), n, p, 1, n);
    }
    pool = design->make_pool();
    std::vector<Index> order;
    std::vector<double> shift;
    for (Index k = 0; k < p; ++k) {
      order.push_back(k * 31 % p);
      shift.push_back(intercept ? X.col(order.back()).mean() : 0.0);
    }
    pool->append(order, shift, 1);
    // Feature w is pool column 69 - w.
    Xs.resize(n, p);
    for (Index w = 0; w < p; ++w) {
      positions.push_back(p - 1 - w);
      inv_scale.push_back(0.5 + 0.05 * static_cast<double>(w % 7));
      Xs.col(w) = X.col(order[static_cast<std::size_t>(p - 1 - w)]) * inv_scale.back();
    }
    h = uniform ? Vec(Vec::Constant(n, 0.125)) : Vec(check::random_weights(n, 3, 2).col(2));
    center();
    u0 = check::random_matrix(n, 1, 3);
    if (intercept) u0.array() -= u0.mean();
    b0 = check::random_matrix(p, 1, 4);
    for (Index w = 0; w < p; w += 3) b0[w] = 0.0;
  }

  void center() {
    for (Index w = 0; w < p && with_intercept; ++w) Xs.col(w).array() -= h.dot(Xs.col(w)) / h.sum();
  }
  Mat gram() const { return Xs.transpose() * h.asDiagonal() * Xs; }
  Vec c0() const { return Xs.transpose() * u0; }
  Vec c(const Vec& b) const { return c0() - gram() * (b - b0); }

  Quadratic model(bool use_gram) const {
    Quadratic m(*pool, with_intercept, use_gram, true, 1);
    m.set_working(positions, inv_scale);
    m.expand(&h, u0, b0, c0());
    return m;
  }

  bool with_intercept;
  Mat X, Xs;
  std::vector<std::int32_t> indptr, indices;
  std::vector<double> values;
  std::unique_ptr<Design> design;
  std::unique_ptr<Pool> pool;
  std::vector<Index> positions;
  std::vector<double> inv_scale;
  Vec h, u0, b0;
};

std::vector<Index> everything() {
  std::vector<Index> all(p);
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

/// Any curvature that maps constants to zero.
struct DenseCurvature : Curvature {
  DenseCurvature() {
    Mat half = check::random_matrix(n, n, 12);
    half.rowwise() -= half.colwise().mean();
    whole = half * half.transpose();
  }
  void multiply(MatOut columns) const override { columns = whole * Mat(columns); }
  Mat whole;
};

template <class F>
void each_setting(F&& f) {
  for (const bool sparse : {false, true}) {
    for (const bool intercept : {false, true}) {
      for (const bool uniform : {false, true}) {
        CAPTURE(sparse);
        CAPTURE(intercept);
        CAPTURE(uniform);
        Setting setting(sparse, intercept, uniform);
        f(setting);
      }
    }
  }
}

Mat gram_block(Quadratic& model, std::span<const Index> rows, std::span<const Index> cols) {
  Mat out(static_cast<Index>(rows.size()), static_cast<Index>(cols.size()));
  model.gram_block(rows, cols, out);
  return out;
}

}  // namespace

TEST_CASE("Gram entries match the dense formula, with weights and centring") {
  each_setting([](const Setting& s) {
    const Mat gram = s.gram();
    for (const bool use_gram : {false, true}) {
      Quadratic model = s.model(use_gram);
      const std::vector<Index> rows{5, 0, 69, 33, 34}, cols{69, 2, 5};
      check::close(gram_block(model, rows, cols), gram(rows, cols), 1e-12);
      check::close(gram_block(model, everything(), everything()), gram, 1e-12);
      check::close(model.diagonal(), gram.diagonal(), 1e-12);
      CHECK(gram_block(model, {}, cols).rows() == 0);
      if (use_gram) {
        check::close(model.gram(), gram, 1e-12);
        check::close(model.gram(), model.gram().transpose(), 1e-14);
      }
    }
  });
}

TEST_CASE("correlations, value and predictor change match the dense formulas in both modes") {
  each_setting([](const Setting& s) {
    for (const bool use_gram : {false, true}) {
      CAPTURE(use_gram);
      Quadratic model = s.model(use_gram);
      for (const unsigned seed : {7u, 8u}) {
        Vec b = s.b0;
        if (seed == 8u) b += check::random_matrix(p, 1, seed);
        const Vec want = s.c(b), t = s.Xs * (b - s.b0);
        Vec c = Vec::Constant(p, 99.0);
        model.correlations(b, everything(), c);
        check::close(c, want, 1e-11);
        CHECK(model.value(b, c) == doctest::Approx(-s.u0.dot(t) + 0.5 * t.dot(s.h.cwiseProduct(t))).epsilon(1e-11));
        check::close(model.predictor_change(b), t, 1e-12);

        c.setConstant(99.0);
        const std::vector<Index> some{4, 66, 0};
        model.correlations(b, some, c);
        for (Index w = 0; w < p; ++w) {
          const bool asked = w == 4 || w == 66 || w == 0;
          CHECK(c[w] == doctest::Approx(asked ? want[w] : 99.0).epsilon(1e-11));
        }
      }
    }
  });
}

TEST_CASE("where rows are coupled, another curvature takes the place of the weights") {
  for (const bool sparse : {false, true}) {
    CAPTURE(sparse);
    const Setting s(sparse, true, false);
    auto coupling = std::make_unique<DenseCurvature>();
    const Mat whole = coupling->whole, gram = s.Xs.transpose() * whole * s.Xs;
    Quadratic model = s.model(false);
    model.expand(&s.h, s.u0, s.b0, s.c0(), std::move(coupling));
    const double size = gram.cwiseAbs().maxCoeff();
    const std::vector<Index> rows{5, 0, 69, 33, 34};
    check::close(gram_block(model, rows, everything()), gram(rows, everything()), 1e-13 * size);
    check::close(model.diagonal(), gram.diagonal(), 1e-13 * size);
    CHECK(model.update_cost() > model.column_cost());

    Vec b = s.b0 + 0.5 * check::random_matrix(p, 1, 9), c(p);
    model.correlations(b, everything(), c);
    check::close(c, s.c0() - gram * (b - s.b0), 1e-12 * size);
    for (Index w = 0; w < p; w += 7) {
      model.column_update(w, 0.1);
      b[w] += 0.1;
      CHECK(model.column_correlation(w) == doctest::Approx((s.c0() - gram * (b - s.b0))[w]).epsilon(1e-10));
    }
    // The next curvature is diagonal again.
    model.expand(&s.h, s.u0, s.b0, s.c0());
    check::close(model.diagonal(), s.gram().diagonal(), 1e-12);
  }
}

TEST_CASE("single-column steps follow correlations") {
  each_setting([](const Setting& s) {
    Quadratic model = s.model(false);
    Vec b = s.b0 + 0.5 * check::random_matrix(p, 1, 9), c(p);
    model.correlations(b, everything(), c);
    for (int step = 0; step < 200; ++step) {
      const Index w = step * 13 % p;
      const double got = model.column_correlation(w);
      if (step % 9 == 0) CHECK(got == doctest::Approx(s.c(b)[w]).epsilon(1e-10));
      const double change = 0.1 * (step % 5 - 2);
      model.column_update(w, change);
      b[w] += change;
    }
    model.correlations(b, everything(), c);
    check::close(c, s.c(b), 1e-11);
  });
}

TEST_CASE("a new curvature replaces centres and Gram matrix") {
  each_setting([](Setting& s) {
    for (const bool use_gram : {false, true}) {
      Quadratic model = s.model(use_gram);
      model.diagonal();
      s.h = check::random_matrix(n, 1, 12 + use_gram).cwiseAbs();
      s.center();
      model.expand(&s.h, s.u0, s.b0, s.c0());
      check::close(gram_block(model, everything(), everything()), s.gram(), 1e-11);
      check::close(model.diagonal(), s.gram().diagonal(), 1e-11);
      Vec c(p);
      const Vec b = s.b0 + check::random_matrix(p, 1, 14);
      model.correlations(b, everything(), c);
      check::close(c, s.c(b), 1e-10);

      // Another expansion point with the curvature kept.
      s.b0 = b;
      s.u0 = check::random_matrix(n, 1, 15);
      if (s.with_intercept) s.u0.array() -= s.u0.mean();
      model.expand(nullptr, s.u0, s.b0, s.c0());
      const Vec b2 = b + check::random_matrix(p, 1, 16);
      model.correlations(b2, everything(), c);
      check::close(c, s.c(b2), 1e-10);
    }
  });
}

TEST_CASE("the working set grows") {
  each_setting([](const Setting& s) {
    for (const bool use_gram : {false, true}) {
      Quadratic model(*s.pool, s.with_intercept, use_gram, true, 1);
      for (const Index size : {Index{1}, Index{40}, p}) {
        const auto count = static_cast<std::size_t>(size);
        model.set_working({s.positions.begin(), s.positions.begin() + size},
                          {s.inv_scale.begin(), s.inv_scale.begin() + size});
        const Vec c0 = s.c0().head(size);
        model.expand(size == 1 ? &s.h : nullptr, s.u0, s.b0.head(size), c0);
        const auto all = everything();
        const auto some = std::span(all).first(count);
        check::close(gram_block(model, some, some), s.gram().topLeftCorner(size, size), 1e-12);
        check::close(model.diagonal(), s.gram().diagonal().head(size), 1e-12);
        CHECK(model.size() == size);
      }
    }
  });
}

TEST_CASE("Gram entries of columns that lie evenly in memory, and of others") {
  const Index rows = 700, cols = 120;
  const Mat X = check::random_matrix(rows, cols, 21).array() + 0.4;
  const auto design = dense_design(X.data(), rows, cols, 1, rows);
  const auto pool = design->make_pool();
  std::vector<Index> order(static_cast<std::size_t>(cols));
  std::iota(order.begin(), order.end(), Index{0});
  pool->append(order, std::vector<double>(order.size(), std::nan("")), 1);  // where they are
  const Vec h = Vec::Constant(rows, 1.0 / static_cast<double>(rows));
  const Mat centred = X.rowwise() - X.colwise().mean();
  const Mat gram = centred.transpose() * centred / static_cast<double>(rows);
  for (const bool small_means : {true, false}) {
    for (const Index step : {1, 2, 7}) {  // evenly apart or not
      CAPTURE(step);
      std::vector<Index> positions;
      for (Index k = 0; k < cols; ++k) positions.push_back(k * step % cols + (step == 2 && 2 * k >= cols ? 1 : 0));
      Quadratic model(*pool, true, true, small_means, 1);
      model.set_working(positions, std::vector<double>(positions.size(), 1.0));
      const Vec zero = Vec::Zero(cols);
      model.expand(&h, Vec::Zero(rows), zero, zero);
      check::close(model.gram(), gram(positions, positions), 1e-13);
    }
  }
}

namespace {

constexpr Index K = 3;

/// Any positive semidefinite curvature of n x K numbers that maps what is constant in an output to zero.
struct CoupledOutputs : Curvature {
  CoupledOutputs() {
    Mat half = check::random_matrix(n * K, 2 * n, 31);
    for (Index k = 0; k < K; ++k) half.middleRows(k * n, n).rowwise() -= half.middleRows(k * n, n).colwise().mean();
    whole = half * half.transpose() / static_cast<double>(n);
  }
  void multiply(MatOut columns) const override { columns = whole * Mat(columns); }
  Mat whole;
};

/// The columns of a Setting with K outputs: dense formulas on all p K entries, feature by feature.
struct Outputs {
  Outputs(const Setting& setting, bool couple) : s(setting), coupled(couple) {
    whole = Mat::Zero(n * K, n * K);
    for (Index k = 0; k < K; ++k) whole.block(k * n, k * n, n, n) = s.h.asDiagonal();
    if (coupled) whole = CoupledOutputs().whole;
    Xs = Mat::Zero(n * K, p * K);
    for (Index w = 0; w < p; ++w) {
      for (Index k = 0; k < K; ++k) Xs.col(w * K + k).segment(k * n, n) = s.Xs.col(w);
    }
    u0 = check::random_matrix(n * K, 1, 32);
    for (Index k = 0; k < K; ++k) {  // nothing where there is no weight, as of a loss
      auto mine = u0.segment(k * n, n);
      mine = (s.h.array() > 0.0).select(mine, 0.0).eval();
      if (s.with_intercept) mine -= mine.sum() / s.h.sum() * s.h;
    }
    b0 = check::random_matrix(p * K, 1, 33);
    for (Index e = 0; e < p * K; e += 4) b0[e] = 0.0;
  }
  Mat gram() const { return Xs.transpose() * whole * Xs; }
  Vec c0() const { return Xs.transpose() * u0; }
  Vec c(const Vec& b) const { return c0() - gram() * (b - b0); }
  std::unique_ptr<const Curvature> coupling() const { return coupled ? std::make_unique<CoupledOutputs>() : nullptr; }
  Quadratic model() const {
    Quadratic m(*s.pool, s.with_intercept, false, true, 1, K);
    m.set_working(s.positions, s.inv_scale);
    m.expand(&s.h, u0, b0, c0(), coupling());
    return m;
  }

  const Setting& s;
  bool coupled;
  Mat whole, Xs;
  Vec u0, b0;
};

std::vector<Index> every_entry() {
  std::vector<Index> all(p * K);
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

/// Uncoupled in every setting; coupled with an intercept, which has its centres at work.
template <class F>
void each_outputs(F&& f) {
  each_setting([&](const Setting& s) {
    for (const bool coupled : {false, true}) {
      if (coupled && (!s.with_intercept || s.h.minCoeff() == s.h.maxCoeff())) continue;
      CAPTURE(coupled);
      f(Outputs(s, coupled));
    }
  });
}

}  // namespace

TEST_CASE("several outputs: correlations, value and predictor change match the dense formulas") {
  each_outputs([](const Outputs& o) {
    Quadratic model = o.model();
    CHECK(model.outputs() == K);
    CHECK(model.features() == p);
    CHECK(model.size() == p * K);
    CHECK(model.coupled() == o.coupled);
    const double size = 1.0 + o.gram().cwiseAbs().maxCoeff();
    for (const unsigned seed : {7u, 8u}) {
      Vec b = o.b0;
      if (seed == 8u) b += check::random_matrix(p * K, 1, seed);
      const Vec want = o.c(b), t = o.Xs * (b - o.b0);
      Vec c = Vec::Constant(p * K, 99.0);
      model.correlations(b, every_entry(), c);
      check::close(c, want, 1e-11 * size);
      const double value = -o.u0.dot(t) + 0.5 * t.dot(o.whole * t);
      CHECK(std::abs(model.value(b, c) - value) <= 1e-11 * (1.0 + std::abs(value)));
      check::close(model.predictor_change(b), t, 1e-11);

      c.setConstant(99.0);
      const std::vector<Index> some{12, 14, 200, 0};  // two of one feature, one after the other
      model.correlations(b, some, c);
      for (Index e = 0; e < p * K; ++e) {
        const bool asked = std::find(some.begin(), some.end(), e) != some.end();
        CHECK(std::abs(c[e] - (asked ? want[e] : 99.0)) <= 1e-11 * size);
      }
    }
  });
}

TEST_CASE("several outputs: Gram entries of features and of entries, the diagonal, products") {
  each_outputs([](const Outputs& o) {
    Quadratic model = o.model();
    const Mat gram = o.gram();
    const double size = 1.0 + gram.cwiseAbs().maxCoeff();
    check::close(model.diagonal(), gram.diagonal(), 1e-13 * size);
    const std::vector<Index> rows{5, 0, 69, 33, 34}, cols{69, 2, 5};
    Mat few(5, 3), block(p, p);
    model.feature_gram(rows, cols, few);  // whatever the coupling
    check::close(few, o.s.gram()(rows, cols), 1e-12);
    model.feature_gram(everything(), everything(), block);
    check::close(block, o.s.gram(), 1e-12);

    const Mat v = check::random_matrix(5, K, 34);
    Vec whole = Vec::Zero(p * K);
    for (Index i = 0; i < 5; ++i) whole.segment(rows[static_cast<std::size_t>(i)] * K, K) = v.row(i).transpose();
    const Vec image = gram * whole;
    Mat out(5, K);
    model.hessian_product(rows, v, out);
    for (Index i = 0; i < 5; ++i) {
      check::close(out.row(i).transpose(), image.segment(rows[static_cast<std::size_t>(i)] * K, K), 1e-13 * size);
    }

    if (o.coupled) {
      const std::vector<Index> entries{14, 0, 209, 13, 100}, others{209, 6, 7};
      check::close(gram_block(model, entries, others), gram(entries, others), 1e-13 * size);
      check::close(gram_block(model, every_entry(), every_entry()), gram, 1e-13 * size);
      CHECK(model.update_cost() > model.column_cost());
    }
  });
}

TEST_CASE("several outputs: steps of one entry, of a row and of rows keep correlations and squares") {
  int together = 0;
  each_outputs([&](const Outputs& o) {
    Quadratic model = o.model();
    const double size = 1.0 + o.gram().cwiseAbs().maxCoeff();
    Vec b = o.b0 + 0.5 * check::random_matrix(p * K, 1, 35), c(p * K), row(K);
    model.correlations(b, every_entry(), c);
    const auto constant = [&] {  // half_rss() less q
      Vec at(p * K), known = o.c(b);
      return model.half_rss() - (-0.5 * (b - o.b0).dot(known + o.c0()));
    };
    const double before = o.coupled ? 0.0 : constant();
    for (Index e = 2; e < p * K; e += 17) {
      model.column_update(e, 0.1);
      b[e] += 0.1;
      const Vec want = o.c(b);
      CHECK(std::abs(model.column_correlation(e) - want[e]) <= 1e-11 * size);
      const Index other = (e * 5 + 1) % (p * K);
      CHECK(std::abs(model.column_correlation(other) - want[other]) <= 1e-11 * size);
    }
    if (o.coupled) return;
    for (Index w = 1; w < p; w += 9) {
      const Vec change = check::random_matrix(K, 1, static_cast<unsigned>(w));
      model.row_update(w, change);
      b.segment(w * K, K) += change;
      const Vec want = o.c(b);
      for (const Index other : {w, p - 1 - w}) {
        model.row_correlation(other, row);
        check::close(row, want.segment(other * K, K), 1e-11 * size);
      }
    }
    const std::vector<Index> rows{3, 4, 20, p - 1}, others{0, 4, 50};
    if (model.moves_together(rows) && model.moves_together(others)) {
      ++together;
      Room steps, found;
      auto changes = steps.shape(4, K), c_rows = found.shape(3, K);
      changes = check::random_matrix(4, K, 40);
      model.rows_update(rows, changes);
      for (Index i = 0; i < 4; ++i) b.segment(rows[static_cast<std::size_t>(i)] * K, K) += changes.row(i).transpose();
      const Vec want = o.c(b);
      model.rows_correlation(others, c_rows);
      for (Index i = 0; i < 3; ++i) {
        check::close(c_rows.row(i).transpose(), want.segment(others[static_cast<std::size_t>(i)] * K, K), 1e-11 * size);
      }
    }
    const double after = constant();
    CHECK(std::abs(after - before) <= 1e-10 * (1.0 + model.half_rss()));
    // From the point of correlations() again, the lag of centring forgotten.
    model.correlations(b, every_entry(), c);
    check::close(c, o.c(b), 1e-11 * size);
    CHECK(std::abs(constant() - after) <= 1e-10 * (1.0 + model.half_rss()));
  });
  CHECK(together > 0);
}

TEST_CASE("several outputs: the state comes back, its coupling given again") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("riata_" + std::to_string(std::random_device{}()))).string();
  each_outputs([&](const Outputs& o) {
    Quadratic model = o.model();
    Vec b = o.b0 + check::random_matrix(p * K, 1, 36), c(p * K), again(p * K);
    model.correlations(b, every_entry(), c);
    model.column_update(5, 0.25);
    b[5] += 0.25;
    {
      ArchiveWriter out(path);
      out(model);
      out.finish();
    }
    Quadratic other(*o.s.pool, o.s.with_intercept, false, true, 1, K);
    {
      ArchiveReader in(path);
      in(other);
    }
    if (o.coupled) other.couple(o.coupling());
    CHECK(other.size() == p * K);
    for (const Index e : {5, 0, 100}) CHECK(other.column_correlation(e) == model.column_correlation(e));
    model.correlations(b, every_entry(), c);
    other.correlations(b, every_entry(), again);
    CHECK(c == again);
    CHECK(model.diagonal() == other.diagonal());
  });
  std::filesystem::remove(path);
}
