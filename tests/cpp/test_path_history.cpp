#include "path/path_history.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "loss/gaussian.hpp"

using namespace riata;

namespace {

/// A history of `features` coefficients whose null fit is at lambda = 1, and points of it with c as they are given.
struct Path {
  explicit Path(Index features) : scale(Vec::Ones(features)), penalty(options, none, 1, scale) {
    history.working_set_changed({}, features, 1);
    history.adopt(point(kInfinity, Vec::Zero(features), Vec::Ones(features)), loss);
    history.begin(1.0);
    for (Index j = 0; j < features; ++j) all.push_back(j);
  }

  static PathPoint point(double lambda, Vec b, Vec c) {
    PathPoint out;
    out.lambda = lambda;
    out.b = std::move(b);
    out.c = std::move(c);
    out.u = out.eta = Vec::Zero(2);
    out.g = Vec::Zero(1);
    return out;
  }
  void accept(std::vector<PathPoint> points) { history.accept(points, loss); }
  /// Where the solution before points[q] goes.
  Vec ahead(const std::vector<PathPoint>& points, std::size_t q) const {
    Vec b = q == 0 ? history.now().b : points[q - 1].b;
    history.extrapolate(points, q, penalty.at(all, points[q].lambda), b);
    return b;
  }
  std::vector<Index> expected(const std::vector<PathPoint>& points, std::size_t q) const {
    return history.expected_entries(points, q, penalty, all);
  }

  Gaussian loss{Vec::Zero(2), Vec::Constant(2, 0.5)};
  PathOptions options;
  Features none;
  Vec scale;
  PenaltyFamily penalty;
  std::vector<Index> all;
  PathHistory history{Vec::Zero(2), Vec::Zero(2), Vec::Zero(1)};
};

}  // namespace

TEST_CASE("what is before the next solution is what was accepted, with and without a refusal between") {
  for (const int refusals : {0, 1, 2}) {
    Path path(2);
    path.accept({Path::point(0.8, Vec{{1.0, 0.0}}, Vec{{0.8, 0.5}})});
    for (int k = 0; k < refusals; ++k) {
      path.history.adopt(Path::point(0.6, Vec{{7.0 + k, 3.0}}, Vec{{0.1, 0.2}}), path.loss);
      CHECK(path.history.now().lambda == 0.6);
    }
    path.accept({Path::point(0.6, Vec{{1.5, 0.0}}, Vec{{0.6, 0.5}})});
    CHECK(path.history.now().lambda == 0.6);
    const std::vector<PathPoint> next{Path::point(0.5, {}, {})};
    CHECK(path.ahead(next, 0)[0] == doctest::Approx(1.5 + 0.5 * (1.5 - 1.0)));
    CHECK(path.ahead(next, 0)[1] == 0.0);
    CHECK(path.expected(next, 0) == std::vector<Index>{});  // c of the second stays where it was
  }
}

TEST_CASE("a refused point starts its own lambda again: nothing goes on from it, what it violates is to enter") {
  Path path(3);
  path.accept({Path::point(0.8, Vec{{1.0, 0.0, 0.0}}, Vec{{0.8, 0.7, 0.1}})});
  path.history.adopt(Path::point(0.6, Vec{{2.0, 0.0, 0.0}}, Vec{{0.6, 0.65, 0.59}}), path.loss);
  const std::vector<PathPoint> again{Path::point(0.6, {}, {}), Path::point(0.5, {}, {})};
  CHECK(path.ahead(again, 0) == Vec{{2.0, 0.0, 0.0}});
  CHECK(path.expected(again, 0) == std::vector<Index>{1});  // by its c, though the third had the steeper way up
}

TEST_CASE("lambdas solved ahead go on from the solutions before them, however far the current one is") {
  Path path(2);
  path.accept({Path::point(0.8, Vec{{1.0, 0.0}}, Vec{{0.8, 0.2}})});
  const std::vector<PathPoint> batch{Path::point(0.7, Vec{{1.2, 0.0}}, Vec{{0.7, 0.4}}),
                                     Path::point(0.5, Vec{{1.6, 0.3}}, Vec{{0.5, 0.5}}), Path::point(0.4, {}, {})};
  for (const bool adopted : {false, true}) {
    if (adopted) path.history.adopt(batch[0], path.loss);
    CHECK(path.ahead(batch, 1)[0] == doctest::Approx(1.4));   // as from 0.8 to 0.7, the step being no longer than that
    CHECK(path.expected(batch, 1) == std::vector<Index>{1});  // 0.4 + 2 * 0.2
    if (adopted) path.history.adopt(batch[1], path.loss);
    CHECK(path.ahead(batch, 2)[0] == doctest::Approx(1.8));
  }
  // The first alone is accepted.
  path.accept({batch[0]});
  CHECK(path.ahead({Path::point(0.6, {}, {})}, 0)[0] == doctest::Approx(1.4));
}

TEST_CASE("features that come into the working set were zero, with c unknown but at the current solution") {
  Path path(2);
  path.accept({Path::point(0.8, Vec{{1.0, 0.0}}, Vec{{0.8, 0.1}})});
  path.history.working_set_changed(std::vector<Index>{1, -1}, 2, 1);
  path.history.set_correlations(0, Vec{{0.79}});
  CHECK(path.history.now().b == Vec{{0.0, 1.0}});
  CHECK(path.history.now().c == Vec{{0.79, 0.8}});
  CHECK(path.expected({Path::point(0.7, {}, {})}, 0) == std::vector<Index>{});  // c is not known at 1
  path.accept({Path::point(0.7, Vec{{0.0, 1.5}}, Vec{{0.69, 0.7}})});
  CHECK(path.expected({Path::point(0.5, {}, {})}, 0) == std::vector<Index>{});   // 0.69 - 2 * 0.1
  CHECK(path.expected({Path::point(0.68, {}, {})}, 0) == std::vector<Index>{});  // 0.69 - 0.02
  CHECK(path.ahead({Path::point(0.6, {}, {})}, 0)[1] == doctest::Approx(2.0));
}
