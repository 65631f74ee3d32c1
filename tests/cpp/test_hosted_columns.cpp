#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "path_problems.hpp"
#include "penalty/elastic_net.hpp"
#include "riata/design/column_host.hpp"
#include "riata/design/column_server.hpp"
#include "riata/design/hstack.hpp"
#include "riata/error.hpp"
#include "same_paths.hpp"

using namespace riata;
using namespace riata::check;

namespace {

/// First columns of so many parts, and the number of columns.
std::vector<Index> cuts_of(Index p, Index parts) {
  std::vector<Index> out{0};
  for (Index k = 1; k < parts; ++k) {
    const Index cut = p * k / parts / 16 * 16;
    if (cut > out.back()) out.push_back(cut);
  }
  out.push_back(p);
  return out;
}

/// Some columns of one of Storages, in memory of their own but for PLINK's.
struct Piece {
  Piece(const Storages& all, std::size_t storage, Index first, Index last) : X(all.X.middleCols(first, last - first)) {
    const Index n = X.rows(), p = X.cols();
    if (storage == 0) design = dense_design(X.data(), n, p, 1, n);
    if (storage == 1) {
      const std::size_t at = static_cast<std::size_t>(first);
      const std::int32_t begin = all.indptr[at];
      for (std::size_t j = at; j <= static_cast<std::size_t>(last); ++j) indptr.push_back(all.indptr[j] - begin);
      indices.assign(all.indices.begin() + begin, all.indices.begin() + begin + indptr.back());
      values.assign(all.values.begin() + begin, all.values.begin() + begin + indptr.back());
      design = csc_design(n, p, indptr.back(), indptr.data(), indices.data(), values.data());
    }
    if (storage == 2) {
      std::vector<Index> columns;
      for (Index j = first; j < last; ++j) columns.push_back(j);
      design = std::make_unique<PlinkDesign>(std::vector<PlinkSource>{{all.X.cols(), all.bed}}, n, CountedAllele::A1,
                                             std::vector<std::uint8_t>{}, columns, 1);
    }
    if (storage == 3) {
      floats = X.cast<float>();
      design = dense_design(floats.data(), n, p, 1, n);
    }
  }

  Mat X;
  Eigen::MatrixXf floats;
  std::vector<std::int32_t> indptr, indices;
  std::vector<double> values;
  std::shared_ptr<const Design> design;
};

/// What happens on the way.
struct Trouble {
  double again = 0.0;  // share of the messages that are sent twice
  double lost = 0.0;   // share of those before which the server is lost, and another opened
  int lost_at = -1;    // the call before which one server is
};

/// Servers in this process: asked at once on threads of their own, or one after the other in any order, and not spared
/// what happens on the way.
class ThreadHost final : public ColumnHost {
 public:
  ThreadHost(const Storages& all, std::size_t storage, const std::vector<Index>& cuts, Trouble trouble = {})
      : cuts_(cuts), trouble_(trouble) {
    for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
      pieces_.push_back(std::make_unique<Piece>(all, storage, cuts[k], cuts[k + 1]));
      servers_.emplace_back();
      open(k);
    }
  }

  Index parts() const override { return static_cast<Index>(servers_.size()); }

  void call(std::string_view method, std::string_view common, std::span<const Index> parts,
            std::span<const std::string> own, const Done& done) const override {
    std::vector<std::size_t> order(parts.size());
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
    std::shuffle(order.begin(), order.end(), random_);
    if (trouble_.lost_at == calls++) {
      open(static_cast<std::size_t>(parts[order.front()]));
      ++lost;
    }
    std::vector<std::string> answers(parts.size());
    std::vector<std::thread> threads;
    for (const std::size_t k : order) {
      const std::size_t part = static_cast<std::size_t>(parts[k]);
      if (draw() < trouble_.lost && lost < 8) {
        open(part);
        ++lost;
      }
      const int times = draw() < trouble_.again ? 2 : 1;
      // The bytes of a message lie anywhere.
      threads.emplace_back([&, k, part, times] {
        const std::string moved = "xyz" + std::string(common);
        for (int i = 0; i < times; ++i) {
          answers[k] = servers_[part]->answer(method, std::string_view(moved).substr(3), own[k]);
        }
      });
      largest_answer = std::max(largest_answer, own[k].size());
      ++messages[std::string(method)];
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::size_t k : order) {
      if (method != "begin" && method != "about") largest_answer = std::max(largest_answer, answers[k].size());
      done(parts[k], answers[k]);
      if (draw() < trouble_.again) done(parts[k], "late");
    }
  }

  mutable int lost = 0, calls = 0;
  mutable std::map<std::string, int> messages;  // by method
  mutable std::size_t largest_answer = 0;

 private:
  void open(std::size_t part) const {
    servers_[part] = std::make_unique<ColumnServer>(pieces_[part]->design, cuts_[part], 1);
  }
  double draw() const { return std::uniform_real_distribution<double>()(random_); }

  std::vector<Index> cuts_;
  Trouble trouble_;
  std::vector<std::unique_ptr<Piece>> pieces_;
  mutable std::vector<std::unique_ptr<ColumnServer>> servers_;
  mutable std::mt19937 random_{7};
};

}  // namespace

TEST_CASE("columns of other processes give the same bits: storages and losses") {
  const Storages storages(dosages(60, 230, 81));
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    for (const std::string loss : {"gaussian", "binomial", "poisson", "cox", "multigaussian", "multinomial grouped"}) {
      CAPTURE(storage);
      CAPTURE(loss);
      PathOptions options = quick(loss);
      const std::vector<Problem> problems{make_problem(storages.X, std::string(options.loss.name()), 3)};
      const auto whole = fit_paths(*storages.designs[storage], problems, {}, options);
      for (const Index parts : {1, 2, 3, 7}) {
        CAPTURE(parts);
        const auto host = std::make_shared<ThreadHost>(storages, storage, cuts_of(230, parts));
        const auto X = hosted_design(host);
        CHECK(same(fit_paths(*X, problems, {}, options), whole));
      }
    }
  }
}

TEST_CASE("columns of other processes give the same bits: penalties, with folds and without") {
  const Storages storages(dosages(70, 300, 82));
  const Index p = storages.X.cols();
  for (const std::string loss : {"gaussian", "binomial"}) {
    const Problem full = make_problem(storages.X, loss, 4);
    for (const std::string kind : {"lasso", "elastic net", "mcp", "group", "sparse group", "bounds", "factors"}) {
      for (const bool folds : {false, true}) {
        if (loss == "binomial" && folds) continue;
        CAPTURE(loss);
        CAPTURE(kind);
        CAPTURE(folds);
        PathOptions options = quick(loss);
        options.keep_linear_predictor = folds;
        Features features;
        if (kind == "elastic net") options.l1_ratio = 0.5;
        if (kind == "mcp") options.penalty = kind;
        if (kind == "bounds") features.lower = Vec::Constant(p, -0.05);
        if (kind == "factors") {
          features.penalty_factor = Vec::Ones(p);
          features.penalty_factor[3] = 0.0;
          features.penalty_factor[200] = kInfinity;
        }
        if (kind.ends_with("group")) {
          if (kind == "group") options.penalty = "group";
          if (kind == "sparse group") options.penalty = penalties::Group{0.3};
          for (Index j = 0; j < p; ++j) features.group.push_back(p / 4 - j / 4);
          features.group_weights = Vec::LinSpaced(p / 4 + 1, 2.0, 2.5);
        }
        const std::vector<Problem> problems = with_folds(full, folds ? 3 : 0);
        const std::size_t storage = kind == "mcp" ? 1 : kind.ends_with("group") ? 0 : 2;
        const auto whole = fit_paths(*storages.designs[storage], problems, features, options);
        for (const Index parts : {2, 7}) {
          CAPTURE(parts);
          const auto X = hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(p, parts)));
          CHECK(same(fit_paths(*X, problems, features, options), whole));
        }
      }
    }
  }
}

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
        CHECK(same(fit_paths(*X, problems, features, options), whole));
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
  for (const char* each : {"bound", "candidates", "read", "read exactly"}) {
    CAPTURE(each);
    CHECK(with[each] <= without[each] + 2);  // one that found it lost, one told again
  }
  CHECK(without["bound"] > 20);
}

TEST_CASE("a copy of the columns in 16-bit integers, long columns and narrow numbers change nothing") {
  const Storages long_columns(dosages(150, 1500, 84)), longer(dosages(4200, 64, 85));
  PathOptions options = quick("gaussian");
  options.n_alphas = 60;
  options.eps = 0.05;
  std::vector<Problem> problems{make_problem(long_columns.X, "gaussian", 5)};
  const auto whole = fit_paths(*long_columns.designs[0], problems, {}, options);
  const auto copied = hosted_design(std::make_shared<ThreadHost>(long_columns, 0, cuts_of(1500, 3)));
  CHECK(same(fit_paths(*copied, problems, {}, options), whole));

  options = quick("binomial");  // as doubles these are referred to where they are, as floats they are not
  problems = {make_problem(longer.X, "binomial", 6)};
  const Eigen::MatrixXf floats = longer.X.cast<float>();
  const auto narrow = dense_design(floats.data(), 4200, 64, 1, 4200);
  for (const std::size_t storage : {0, 3}) {
    const auto X = hosted_design(std::make_shared<ThreadHost>(longer, storage, cuts_of(64, 2)));
    CHECK(same(fit_paths(*X, problems, {}, options),
               fit_paths(storage == 0 ? *longer.designs[0] : *narrow, problems, {}, options)));
  }
}

TEST_CASE("no message but the first grows with the number of columns") {
  const Storages few(dosages(60, 320, 86)), many(dosages(60, 3200, 86));
  std::vector<std::size_t> largest;
  for (const Storages* storages : {&few, &many}) {
    PathOptions options = quick("gaussian");
    options.eps = 0.5;
    const auto host = std::make_shared<ThreadHost>(*storages, 2, cuts_of(storages->X.cols(), 2));
    const auto X = hosted_design(host);
    fit_paths(*X, {make_problem(few.X, "gaussian", 7)}, {}, options);
    largest.push_back(host->largest_answer);
  }
  CHECK(largest[1] < 3200 * 8);
}

TEST_CASE("the design of a host is that of its columns") {
  const Storages storages(dosages(50, 120, 87));
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    const auto X = hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(120, 3)));
    const Design& whole = *storages.designs[storage];
    CHECK(X->rows() == 50);
    CHECK(X->cols() == 120);
    CHECK(X->kind() == whole.kind());
    CHECK(X->bytes() == doctest::Approx(whole.bytes()).epsilon(0.02));
    const std::vector<Index> columns{119, 3, 64, 17, 4};
    const Mat R = random_matrix(50, 3, 8), w = random_weights(50, 2, 9), B = random_matrix(5, 2, 10);
    CHECK(same_bits(correlate(*X, columns, R), correlate(whole, columns, R)));
    CHECK(same_bits(moments(*X, columns, w), moments(whole, columns, w)));
    CHECK(same_bits(gather(*X, columns), gather(whole, columns)));
    CHECK(same_bits(multiply(*X, columns, B), multiply(whole, columns, B)));
  }
}

TEST_CASE("errors of parts are those of X, and fits that need all of its columns at hand are refused") {
  Storages storages(dosages(30, 64, 88));
  const std::vector<Problem> problems{make_problem(storages.X, "gaussian", 6)};
  PathOptions options = quick("gaussian");
  Features features;
  {
    const auto X = hosted_design(std::make_shared<ThreadHost>(storages, 0, cuts_of(64, 2)));
    options.l1_ratio = 0.0;
    CHECK_THROWS_WITH_AS(fit_paths(*X, problems, features, options),
                         "X must be in this process where l1_ratio is 0, which keeps all of its columns at hand, got "
                         "one that others hold",
                         std::invalid_argument);
    options.l1_ratio = 1.0;
    options.penalty = "slope";
    features.sorted_weights = Vec::LinSpaced(64, 2.0, 1.0);
    CHECK_THROWS_WITH_AS(fit_paths(*X, problems, features, options),
                         "X must be in this process with penalty \"slope\", which ties all of its columns, got one "
                         "that others hold",
                         std::invalid_argument);
    options.penalty = "group";
    for (Index j = 0; j < 64; ++j) features.group.push_back(j / 24);
    features.group_weights = Vec::Ones(3);
    CHECK_THROWS_WITH_AS(fit_paths(*X, problems, features, options),
                         "parts must not divide a group of features, got group 1 on both sides of column 32",
                         std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(hosted_design(std::make_shared<ThreadHost>(storages, 0, std::vector<Index>{0, 20, 64})),
                       "parts of X must follow one another and begin at multiples of 16, got column 20 as the first "
                       "of part 1 after 20 columns",
                       std::invalid_argument);
  storages.X(3, 40) = std::numeric_limits<double>::quiet_NaN();
  const auto X = hosted_design(std::make_shared<ThreadHost>(storages, 0, cuts_of(64, 2)));
  options = quick("gaussian");
  CHECK_THROWS_WITH_AS(fit_paths(*X, problems, {}, options),
                       "X must hold finite numbers only, got NaN or infinity in column 40", NonFiniteError);
}

TEST_CASE("columns of this process stand beside those of others") {
  const Storages storages(dosages(60, 224, 89));
  Mat covariates = random_matrix(60, 3, 90);
  covariates.col(2) = covariates.col(0) + covariates.col(1) + 1e-4 * covariates.col(2);  // nearly collinear
  const std::shared_ptr<const Design> beside = dense_design(covariates.data(), 60, 3, 1, 60);
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    const std::shared_ptr<const Design> whole(storages.designs[storage].get(), [](const Design*) {});
    const std::shared_ptr<const Design> held =
        hosted_design(std::make_shared<ThreadHost>(storages, storage, cuts_of(224, 3)));
    const auto here = hstack_design({whole, beside}), there = hstack_design({held, beside});
    for (const double factor : {0.0, 1.0}) {
      CAPTURE(storage);
      CAPTURE(factor);
      Features features;
      features.penalty_factor = Vec::Ones(227);
      features.penalty_factor.tail(3).setConstant(factor);
      const std::vector<Problem> problems{make_problem(storages.X, "gaussian", 3)};
      CHECK(same(fit_paths(*there, problems, features, quick("gaussian")),
                 fit_paths(*here, problems, features, quick("gaussian"))));
    }
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
        CHECK(same(fit_paths(*Z, problems, features, options), whole));
      }
    }
  }
}
