#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "path/recall.hpp"
#include "path_problems.hpp"
#include "same_paths.hpp"
#include "thread_host.hpp"

using namespace riata;
using namespace riata::check;

namespace {

/// Columns that the fit itself has read: of one that has forgotten nothing as many as of any other.
double streamed(const std::vector<PathResult>& paths) {
  return paths.front().counters.columns_streamed;
}

}  // namespace

TEST_CASE("messages that come twice, answers that come late and servers that are lost change nothing") {
  const Storages storages(dosages(60, 230, 83));
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    for (const bool folds : {false, true}) {
      PathOptions options = quick("gaussian");
      const std::vector<Problem> problems = with_folds(make_problem(storages.X, "gaussian", 3), folds ? 3 : 0);
      const auto whole = fit_paths(*storages.designs[storage], problems, {}, options);
      const auto host = std::make_shared<ThreadHost>(storages, storage, cuts_of(230, 3), Trouble{0.3, 0.03});
      const auto X = hosted_design(host);
      CHECK(same(fit_paths(*X, problems, {}, options), whole));
      CHECK(host->lost > 0);
    }
  }
}

TEST_CASE("a server may be lost before any call of a fit") {
  const Storages storages(dosages(60, 230, 92));
  for (std::size_t storage = 0; storage < 4; ++storage) {
    const Eigen::MatrixXf floats = storages.X.cast<float>();
    const auto narrow = dense_design(floats.data(), 60, 230, 1, 60);
    const Design& here = storage < 3 ? *storages.designs[storage] : *narrow;
    for (const std::string loss : {"gaussian", "binomial", "poisson", "cox", "multigaussian", "multinomial grouped"}) {
      PathOptions options = quick(loss);
      options.n_alphas = 5;
      options.eps = 0.3;
      Features features;
      if (loss == "binomial") {  // of which the null fit is not known beforehand
        features.penalty_factor = Vec::Ones(230);
        features.penalty_factor[40] = 0.0;
      }
      const Problem full = make_problem(storages.X, std::string(options.loss.name()), 3);
      const std::vector<Problem> problems = with_folds(full, loss == "gaussian" ? 2 : 0);
      const auto whole = fit_paths(here, problems, features, options);
      for (int at = 0, calls = 1; at < calls; ++at) {
        CAPTURE(storage);
        CAPTURE(loss);
        CAPTURE(at);
        const auto host = std::make_shared<ThreadHost>(storages, storage, cuts_of(230, 3), Trouble{0.0, 0.0, at});
        const auto X = hosted_design(host);
        const auto found = fit_paths(*X, problems, features, options);
        CHECK(same(found, whole));
        CHECK(streamed(found) == streamed(whole));
        if (at == 0) calls = host->calls;
      }
    }
  }
}

TEST_CASE("what takes the place of a server is told what its columns were read against last, not all messages") {
  const Storages storages(dosages(60, 230, 83));
  const std::vector<Problem> problems = with_folds(make_problem(storages.X, "gaussian", 3), 2);
  std::map<std::string, int> without, with;
  int last = 0;
  for (std::map<std::string, int>* messages : {&without, &with}) {
    const auto host = std::make_shared<ThreadHost>(storages, 2, cuts_of(230, 3), Trouble{0.0, 0.0, last - 5});
    const auto X = hosted_design(host);
    fit_paths(*X, problems, {}, quick("gaussian"));
    last = host->calls;
    *messages = host->messages;
  }
  CHECK(with["begin"] == without["begin"] + 1);
  CHECK(with["remember"] == 3);
  CHECK(with["recall"] == 1);
  for (const char* each : {"bound", "bound and read", "candidates", "read", "read exactly"}) {
    CAPTURE(each);
    CHECK(with[each] <= without[each] + 2);  // one that found it lost, one told again
  }
  CHECK(without["bound and read"] > 20);  // in place of two messages
  CHECK(without["read"] < 0.2 * without["bound and read"]);
}

TEST_CASE("of a round of several lambdas a record keeps the basis, which gives what columns remember") {
  const Index n = 8;
  Mat sides(n, 6);
  for (Index i = 0; i < sides.size(); ++i) sides.data()[i] = static_cast<double>(i % 11);
  PackedSides whole;
  whole.plan.begin = {0, 4, 6};  // of two outputs
  whole.plan.open = {{1, 2, 0.0}, {1, 1, 0.0}};
  whole.plan.sums = sides.colwise().sum();
  whole.plan.coordinates = Mat::Random(6, 3);
  whole.plan.replaced = Mat::Random(2, 3);
  whole.count = 6;
  PackedSides coded = whole;
  whole.sides = NarrowMatrix(sides);
  coded.step = coded.sum = whole.plan.sums;
  coded.codes.assign(sides.data(), sides.data() + sides.size());
  RecallRecord record(16, 2);
  record.open(whole, 0);
  for (PackedSides* each : {&whole, &coded}) each->plan.open = {{2, 2, 0.0}, {2, 1, 0.0}};
  record.open(coded, 0);
  const std::vector<Index> basis{0, 1, 4};
  for (const PackedSides& each : record.known().blocks) {
    CHECK(each.count == 3);
    CHECK(each.plan.begin == std::vector<Index>{0, 2, 3});
    CHECK(each.plan.sums == whole.plan.sums(basis));
    CHECK(each.plan.coordinates.rows() == 3);
    CHECK(each.plan.coordinates.cols() == each.plan.replaced.cols());
  }
  CHECK(record.known().blocks[0].sides.unpacked() == sides(Eigen::all, basis));
  CHECK(record.known().blocks[1].codes.size() == static_cast<std::size_t>(3 * n));
  CHECK(record.known().blocks[1].codes[2 * n + 3] == static_cast<std::int16_t>(sides(3, 4)));
  CHECK(record.known().blocks[1].step == whole.plan.sums(basis));
}

TEST_CASE("more fits within each other than a server knows at a time: what it forgets is told again") {
  const Storages storages(dosages(60, 230, 92));
  const auto host = std::make_shared<ThreadHost>(storages, 2, cuts_of(230, 2));
  const auto X = hosted_design(host);
  PathOptions plain = quick("gaussian");
  plain.n_alphas = 6;
  const int deep = 7;
  std::vector<std::vector<Problem>> problems;
  std::vector<std::vector<PathResult>> found(deep);
  for (int k = 0; k < deep; ++k)
    problems.push_back({make_problem(storages.X, "gaussian", static_cast<unsigned>(20 + k))});
  const std::function<void(int)> fit = [&](int level) {
    PathOptions options = plain;
    options.progress = [&](Index done, Index, double, Index, double, double) {
      if (done == 3 && level + 1 < deep) fit(level + 1);
      return true;
    };
    found[static_cast<std::size_t>(level)] = fit_paths(*X, problems[static_cast<std::size_t>(level)], {}, options);
  };
  fit(0);
  CHECK(host->messages["recall"] > 0);
  for (int k = 0; k < deep; ++k) {
    CAPTURE(k);
    const auto at = static_cast<std::size_t>(k);
    CHECK(same(found[at], fit_paths(*storages.designs[2], problems[at], {}, plain)));
  }
}

TEST_CASE("a fit goes on from its checkpoint with any division of the columns") {
  const Storages storages(dosages(60, 230, 91));
  const Eigen::MatrixXf floats = storages.X.cast<float>();
  const auto narrow = dense_design(floats.data(), 60, 230, 1, 60);
  for (std::size_t storage = 0; storage < 4; ++storage) {
    const std::shared_ptr<const Design> here(storage < 3 ? storages.designs[storage].get() : narrow.get(),
                                             [](const Design*) {});
    const auto divided = [&](Index parts, Trouble trouble) -> std::shared_ptr<const Design> {
      if (parts == 0) return here;
      return hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(230, parts), trouble));
    };
    for (const std::string loss : {"gaussian", "binomial", "multigaussian"}) {
      PathOptions options = quick(loss);
      Features features;
      if (loss == "binomial") {  // of which the null fit is not known beforehand
        features.penalty_factor = Vec::Ones(230);
        features.penalty_factor[40] = 0.0;
      }
      const Problem full = make_problem(storages.X, loss, 3);
      const std::vector<Problem> problems = with_folds(full, loss == "gaussian" ? 2 : 0);
      const auto whole = fit_paths(*here, problems, features, options);
      options.checkpoint = storages.bed + ".checkpoint";
      options.checkpoint_seconds = 0.0;
      for (const auto& [first, second] :
           std::vector<std::pair<Index, Index>>{{0, 3}, {3, 0}, {1, 2}, {2, 7}, {7, 1}, {3, 3}, {0, 0}}) {
        CAPTURE(storage);
        CAPTURE(loss);
        CAPTURE(first);
        CAPTURE(second);
        options.progress = [](Index done, Index, double, Index, double, double) { return done < 8; };
        const auto X = divided(first, {});
        const auto part = fit_paths(*X, problems, features, options);
        REQUIRE(part.front().alphas.size() < whole.front().alphas.size());
        // Once more from there, so that what was told in one way is kept in the other.
        options.progress = [](Index done, Index, double, Index, double, double) { return done < 11; };
        const auto Y = divided(second, {0.1, 0.02});
        const auto more = fit_paths(*Y, problems, features, options);
        REQUIRE(more.front().alphas.size() > part.front().alphas.size());
        options.progress = {};
        const auto Z = divided(first, {0.1, 0.02});
        const auto found = fit_paths(*Z, problems, features, options);
        CHECK(same(found, whole));
        CHECK(streamed(found) == streamed(whole));
      }
    }
  }
}
