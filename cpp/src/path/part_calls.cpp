#include "path/part_calls.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>

namespace riata {
namespace {

/// A number that no other fit has, in this process or another.
std::uint64_t new_fit() {
  std::random_device source;
  const std::uint64_t high = source(), low = source();
  return std::max<std::uint64_t>(high << 32 | low, 1);
}

PartCalls::Parts without(const PartCalls::Parts& parts, const PartCalls::Parts& others) {
  PartCalls::Parts out;
  std::set_difference(parts.begin(), parts.end(), others.begin(), others.end(), std::back_inserter(out));
  return out;
}

}  // namespace

PartCalls::PartCalls(std::shared_ptr<const ColumnHost> host, Index parts, Recall recall)
    : calls_(std::move(host)),
      recall_(std::move(recall)),
      fit_(new_fit()),
      epochs_(static_cast<std::size_t>(parts), 0),
      losses_(epochs_.size(), 0) {}

PartCalls::~PartCalls() {
  try {
    const Parts parts = all();
    const std::vector<MessageHead> heads(parts.size(), MessageHead{fit_, 0});
    calls_("end", {}, parts, heads, std::vector<std::string>(parts.size()));
  } catch (...) {  // they forget it when they end themselves
  }
}

PartCalls::Parts PartCalls::all() const {
  Parts out(epochs_.size());
  std::iota(out.begin(), out.end(), Index{0});
  return out;
}

std::vector<std::string> PartCalls::tell(std::string_view method, std::string_view common, Parts& parts,
                                         const Own& own) {
  if (parts.empty()) return {};
  std::vector<MessageHead> heads;
  std::vector<std::string> messages;
  for (const Index part : parts) {
    heads.push_back({fit_, ++epochs_[static_cast<std::size_t>(part)]});
    messages.push_back(own(part));
  }
  std::vector<std::optional<std::string>> answers = calls_(method, common, parts, heads, messages);
  std::vector<std::string> out;
  Parts left;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (!answers[k]) continue;
    left.push_back(parts[k]);
    out.push_back(std::move(*answers[k]));
  }
  parts = std::move(left);
  return out;
}

std::vector<std::string> PartCalls::ask(std::string_view method, std::string common, const Parts& parts,
                                        const Own& own) {
  Sent& sent = log_.emplace_back(Sent{method, std::move(common), std::vector<std::string>(epochs_.size())});
  for (const Index part : parts) sent.own[static_cast<std::size_t>(part)] = own(part);
  Parts left = parts;
  std::vector<std::string> answers =
      tell(method, sent.common, left, [&](Index part) { return sent.own[static_cast<std::size_t>(part)]; });
  std::vector<std::string> by_part(epochs_.size());
  Parts lost = parts;
  for (;;) {
    for (std::size_t k = 0; k < left.size(); ++k) by_part[static_cast<std::size_t>(left[k])] = std::move(answers[k]);
    lost = without(lost, left);
    if (lost.empty()) break;
    left = lost;
    answers = tell_again(left);
  }
  std::vector<std::string> out;
  for (const Index part : parts) out.push_back(std::move(by_part[static_cast<std::size_t>(part)]));
  return out;
}

void PartCalls::tell_all(const Recall& what) {
  Parts lost = all(), left = lost;
  what(left);
  while (!(lost = without(lost, left)).empty()) {
    left = lost;
    tell_again(left);
  }
}

/// Everything, to parts that have been opened anew; returns the answers to the last message.
std::vector<std::string> PartCalls::tell_again(Parts& parts) {
  for (const Index part : parts) {
    if (++losses_[static_cast<std::size_t>(part)] <= kMostLosses) continue;
    throw std::runtime_error("part " + std::to_string(part) + " of X was lost " + std::to_string(kMostLosses) +
                             " times in one fit");
  }
  recall_(parts);
  std::vector<std::string> answers;
  for (const Sent& sent : log_) {
    answers =
        tell(sent.method, sent.common, parts, [&](Index part) { return sent.own[static_cast<std::size_t>(part)]; });
  }
  return answers;
}

}  // namespace riata
