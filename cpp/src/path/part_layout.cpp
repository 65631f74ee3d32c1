#include "path/part_layout.hpp"

#include <algorithm>
#include <utility>

#include "design/side_by_side.hpp"
#include "parallel.hpp"
#include "riata/design/column_server.hpp"

namespace riata {
namespace {

/// Columns of this process as a host of one part.
class HereHost final : public ColumnHost {
 public:
  HereHost(const Design& X, int threads) : server_({&X, [](const Design*) {}}, 0, threads) {}

  Index parts() const override { return 1; }
  void call(std::string_view method, std::string_view common, std::span<const Index> /*parts*/,
            std::span<const std::string> own, const Done& done) const override {
    done(0, server_.answer(method, common, own.front(), PollScope::present()));
  }

 private:
  mutable ColumnServer server_;
};

/// Parts of several hosts, one after the other.
class ManyHosts final : public ColumnHost {
 public:
  void add(std::shared_ptr<const ColumnHost> host) {
    begins_.push_back(parts_);
    parts_ += host->parts();
    hosts_.push_back(std::move(host));
  }

  Index parts() const override { return parts_; }
  void call(std::string_view method, std::string_view common, std::span<const Index> parts,
            std::span<const std::string> own, const Done& done) const override {
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      const Index begin = begins_[h], end = begin + hosts_[h]->parts();
      std::vector<Index> mine;
      std::vector<std::string> messages;
      for (std::size_t k = 0; k < parts.size(); ++k) {
        if (parts[k] < begin || parts[k] >= end) continue;
        mine.push_back(parts[k] - begin);
        messages.push_back(own[k]);
      }
      if (mine.empty()) continue;
      hosts_[h]->call(method, common, mine, messages,
                      [&](Index part, std::string_view answer) { done(begin + part, answer); });
    }
  }

 private:
  Index parts_ = 0;
  std::vector<Index> begins_;  // number of the first part of each
  std::vector<std::shared_ptr<const ColumnHost>> hosts_;
};

/// The designs that X is made of.
void flatten(const Design& X, std::vector<const Design*>& out) {
  const auto* beside = dynamic_cast<const SideBySide*>(&X);
  if (beside == nullptr) {
    out.push_back(&X);
    return;
  }
  for (const Design* each : beside->designs()) flatten(*each, out);
}

std::vector<const Design*> designs_of(const Design& X) {
  std::vector<const Design*> out;
  flatten(X, out);
  return out;
}

}  // namespace

bool is_hosted(const Design& X) {
  const std::vector<const Design*> all = designs_of(X);
  return std::any_of(all.begin(), all.end(),
                     [](const Design* each) { return dynamic_cast<const HostedDesign*>(each) != nullptr; });
}

PartLayout PartLayout::of(const Design& X, int threads) {
  PartLayout out;
  if (!is_hosted(X)) return out;
  const auto hosts = std::make_shared<ManyHosts>();
  Index first = 0;
  for (const Design* each : designs_of(X)) {
    if (const auto* hosted = dynamic_cast<const HostedDesign*>(each)) {
      hosts->add(hosted->host());
      for (std::size_t k = 0; k + 1 < hosted->cuts().size(); ++k) out.cuts.push_back(first + hosted->cuts()[k]);
    } else if (each->cols() > 0) {
      hosts->add(std::make_shared<HereHost>(*each, threads));
      out.cuts.push_back(first);
    }
    first += each->cols();
  }
  out.cuts.push_back(first);
  out.host = hosts;
  return out;
}

}  // namespace riata
