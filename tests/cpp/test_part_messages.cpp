#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "design/host_messages.hpp"
#include "io/memory_archive.hpp"
#include "path/column_set.hpp"
#include "path/part_messages.hpp"
#include "path_problems.hpp"
#include "riata/design/column_host.hpp"
#include "riata/design/column_server.hpp"
#include "same_paths.hpp"

using namespace riata;
using namespace riata::check;

namespace {

struct Message {
  std::string method, common, own;
};

/// One part, which notes what it is told, and is lost before one message.
class Recorder final : public ColumnHost {
 public:
  Recorder(std::shared_ptr<const Design> X, std::size_t lost_at) : X_(std::move(X)), lost_at_(lost_at) { open(); }

  Index parts() const override { return 1; }
  void call(std::string_view method, std::string_view common, std::span<const Index> /*parts*/,
            std::span<const std::string> own, const Done& done) const override {
    if (messages.size() == lost_at_) open();
    messages.push_back({std::string(method), std::string(common), own.front()});
    done(0, server_->answer(method, common, own.front()));
  }

  mutable std::vector<Message> messages;

 private:
  void open() const { server_ = std::make_unique<ColumnServer>(X_, 0, 1); }

  std::shared_ptr<const Design> X_;
  std::size_t lost_at_;
  mutable std::unique_ptr<ColumnServer> server_;
};

/// One part, whose answers to one method are changed on their way.
class Spoiler final : public ColumnHost {
 public:
  using Change = std::function<void(std::string&)>;
  Spoiler(std::shared_ptr<const Design> X, std::string method, Change change)
      : server_(std::move(X), 0, 1), method_(std::move(method)), change_(std::move(change)) {}

  Index parts() const override { return 1; }
  void call(std::string_view method, std::string_view common, std::span<const Index> /*parts*/,
            std::span<const std::string> own, const Done& done) const override {
    std::string answer = server_.answer(method, common, own.front());
    if (method == method_) change_(answer);
    done(0, answer);
  }

 private:
  mutable ColumnServer server_;
  std::string method_;
  Change change_;
};

/// Does something to what an answer holds first, after its kind.
template <class T, class Do>
Spoiler::Change change_of(const Do& change) {
  return [=](std::string& answer) {
    T found;
    MemoryReader reader(std::string_view(answer).substr(1));
    reader(found);
    change(found);
    answer = answer.substr(0, 1) + to_bytes(found) + std::string(reader.left());
  };
}

/// A message with some bits turned, or its end cut off.
Message damaged(Message message, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  constexpr std::size_t head = 16;
  std::string& bytes = message.common.empty() || below(3) == 0 ? message.own : message.common;
  const std::size_t kept = &bytes == &message.own ? head : 0;
  if (bytes.size() <= kept) return message;
  if (below(4) == 0) {
    bytes.resize(kept + below(bytes.size() - kept));
    return message;
  }
  // Sizes and numbers of columns stand in the first bytes, most of the others are numbers that may be anything.
  const std::size_t most = below(2) == 0 ? bytes.size() - kept : std::min<std::size_t>(bytes.size() - kept, 200);
  for (std::size_t flips = 1 + below(3); flips > 0; --flips) {
    char& byte = bytes[kept + below(most)];
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1u << below(8)));
  }
  return message;
}

}  // namespace

TEST_CASE("sets of columns come back as they went") {
  for (const Index size : {1, 40, 3000}) {
    for (const double share : {0.0, 0.01, 0.1, 0.6, 1.0}) {
      std::mt19937 random(5);
      std::vector<Index> columns;
      for (Index j = 0; j < size; ++j) {
        if (std::uniform_real_distribution<double>()(random) < share) columns.push_back(j);
      }
      ColumnSet set(columns, size), back;
      const std::string bytes = to_bytes(set);
      from_bytes(bytes, back);
      CHECK(back.columns(size) == columns);
      CHECK(bytes.size() <=
            9 + static_cast<std::size_t>(std::min((size + 7) / 8, 2 * static_cast<Index>(columns.size()))));
      if (!columns.empty()) CHECK_THROWS_AS(back.columns(columns.back()), std::invalid_argument);
    }
  }
}

TEST_CASE("damaged messages are refused, or answered") {
  const Storages storages(dosages(40, 96, 93));
  for (std::size_t storage = 0; storage < storages.designs.size(); ++storage) {
    for (const std::string loss : {"gaussian", "multigaussian", "groups"}) {
      CAPTURE(storage);
      CAPTURE(loss);
      PathOptions options = quick(loss == "groups" ? "gaussian" : loss);
      options.n_alphas = 6;
      options.eps = 0.3;
      Features features;
      if (loss == "groups") {
        options.penalty = "group";
        for (Index j = 0; j < 96; ++j) features.group.push_back(j / 4);
        features.group_weights = Vec::Constant(24, 2.0);
      }
      const std::shared_ptr<const Design> X(storages.designs[storage].get(), [](const Design*) {});
      const auto host = std::make_shared<Recorder>(X, 12);
      const auto hosted = hosted_design(host);
      const Problem full = make_problem(storages.X, std::string(options.loss.name()), 3);
      fit_paths(*hosted, with_folds(full, loss == "gaussian" ? 2 : 0), features, options);
      const std::vector<Message>& all = host->messages;
      std::mt19937 random(static_cast<unsigned>(storage));
      int refused = 0;
      for (int i = 0; i < 120; ++i) {
        const std::size_t last = std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random);
        ColumnServer server(X, 0, 1);
        for (std::size_t m = 0; m < last; ++m) server.answer(all[m].method, all[m].common, all[m].own);
        const Message bad = damaged(all[last], random);
        const std::string answer = server.answer(bad.method, bad.common, bad.own);
        REQUIRE(!answer.empty());
        if (answer.front() > 1) ++refused;
        CHECK(answer.find("bad_alloc") == std::string::npos);
      }
      CHECK(refused > 5);
    }
  }
}

using Answers = std::vector<PartAnswer>;

TEST_CASE("answers of columns that a part does not have, or of too few numbers, are refused") {
  const Storages storages(dosages(40, 96, 94));
  const std::shared_ptr<const Design> X(storages.designs[0].get(), [](const Design*) {});
  const Problem problem = make_problem(storages.X, "gaussian", 3);
  const PathOptions options = quick("gaussian");
  const auto fit = [&](const std::string& method, const Spoiler::Change& change) {
    const auto hosted = hosted_design(std::make_shared<Spoiler>(X, method, change));
    return fit_paths(*hosted, {problem}, {}, options);
  };
  const auto whole = fit_paths(*X, {problem}, {}, options);
  for (const std::string method : {"bound", "bound and read", "read"}) {
    CAPTURE(method);
    CHECK(same(fit(method, change_of<Answers>([](Answers&) {})), whole));
    std::vector<Spoiler::Change> changes{
        change_of<Answers>([](Answers& found) { found.clear(); }),
        change_of<Answers>([](Answers& found) { found.front().undecided = 97; }),
        change_of<Answers>([](Answers& found) { found.front().undecided = -1; }),
        change_of<Answers>([](Answers& found) { found.front().unbounded = 97; }),
        change_of<Answers>([](Answers& found) { found.front().found.candidates.push_back({1.0, 96}); }),
        change_of<Answers>([](Answers& found) { found.front().found.candidates.push_back({1.0, -1}); }),
        change_of<Answers>([](Answers& found) { found.front().found.violators.assign(1, {{96}, {1.0}, 0.0}); }),
        change_of<Answers>([](Answers& found) { found.front().found.violators.assign(1, {{95}, {}, 0.0}); }),
        change_of<Answers>([](Answers& found) { found.front().found.violators.resize(2); }),
        change_of<Answers>([](Answers& found) { found.front().held.columns.push_back(95); })};
    if (method == "bound") {
      changes.push_back(change_of<Answers>([](Answers& found) { ++found.front().unbounded; }));
    } else if (method == "bound and read") {
      changes.push_back(
          change_of<Answers>([](Answers& found) { found.front().undecided = found.front().unbounded + 1; }));
      changes.push_back(change_of<Answers>([](Answers& found) {
        if (found.front().unbounded > 0) found.front().unbounded = found.front().undecided = 0;
      }));
    }
    for (const Spoiler::Change& change : changes) {
      const std::ptrdiff_t which = &change - changes.data();
      CAPTURE(which);
      CHECK_THROWS_AS(fit(method, change), std::runtime_error);
    }
  }
}

TEST_CASE("a part does not read before what it is told again is recalled") {
  const Storages storages(dosages(40, 96, 95));
  const std::shared_ptr<const Design> X(storages.designs[0].get(), [](const Design*) {});
  const auto host = std::make_shared<Recorder>(X, 12);
  fit_paths(*hosted_design(host), {make_problem(storages.X, "gaussian", 3)}, {}, quick("gaussian"));
  const std::vector<Message>& all = host->messages;
  const auto is = [](std::string_view method) {
    return [=](const Message& message) { return message.method == method; };
  };
  const auto last = std::find_if(all.begin(), all.end(), is("remember"));
  REQUIRE(last != all.end());
  Message early = *std::find_if(all.begin(), all.end(), is("read"));
  early.own.replace(0, sizeof(MessageHead), last->own, 0, sizeof(MessageHead));
  ++early.own[offsetof(MessageHead, epoch)];  // the next one
  ColumnServer server(X, 0, 1);
  const auto answer = [&](const Message& message) {
    return server.answer(message.method, message.common, message.own);
  };
  for (auto at = all.begin(); at <= last; ++at) REQUIRE(answer(*at).size() > 0);
  const std::string refused = answer(early);
  CHECK(refused.front() == static_cast<char>(AnswerKind::kInvalid));
  CHECK(refused.find("recalled") != std::string::npos);
}

TEST_CASE("columns that come with too few numbers, or rows that there are not, are refused") {
  const Storages storages(dosages(40, 96, 96));
  const auto refuses = [&](std::size_t storage, const Spoiler::Change& change) {
    const std::shared_ptr<const Design> X(storages.designs[storage].get(), [](const Design*) {});
    const auto hosted = hosted_design(std::make_shared<Spoiler>(X, "fetch", change));
    CAPTURE(storage);
    CHECK_THROWS_AS(fit_paths(*hosted, {make_problem(storages.X, "gaussian", 3)}, {}, quick("gaussian")),
                    std::runtime_error);
  };
  refuses(0, change_of<NarrowMatrix>([](NarrowMatrix& found) { found = NarrowMatrix(Mat::Zero(39, found.cols())); }));
  refuses(0, change_of<NarrowMatrix>([](NarrowMatrix& found) { found = NarrowMatrix(Mat::Zero(40, 0)); }));
  refuses(1, change_of<FetchedSparse>([](FetchedSparse& found) { found.rows.front() = 40; }));
  refuses(1, change_of<FetchedSparse>([](FetchedSparse& found) { found.rows.front() = -1; }));
  refuses(1, change_of<FetchedSparse>([](FetchedSparse& found) { ++found.sizes.back(); }));
  refuses(1, change_of<FetchedSparse>([](FetchedSparse& found) { found.values.pop_back(); }));
  refuses(2, change_of<FetchedPacked>([](FetchedPacked& found) { found.bytes.pop_back(); }));
  refuses(2, change_of<FetchedPacked>([](FetchedPacked& found) { found.tables.clear(); }));
}
