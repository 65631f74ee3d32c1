#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "path_problems.hpp"
#include "riata/design/column_host.hpp"
#include "riata/design/column_server.hpp"

/// Columns that others hold, in this process.
namespace riata::check {

/// First columns of so many parts, and the number of columns.
inline std::vector<Index> cuts_of(Index p, Index parts) {
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

}  // namespace riata::check
