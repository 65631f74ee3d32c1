#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "design/hosted_design.hpp"

namespace riata {

/// The messages of one fit to the parts that hold its columns. Those since the last forget_log() are kept, a few: a
/// part that is lost is brought to where the fit was then, told them again, and ends with the same bits.
class PartCalls {
 public:
  using Parts = std::vector<Index>;
  using Own = std::function<std::string(Index part)>;
  /// Brings parts that have been opened anew to where the fit was at the last forget_log(), by tell().
  using Recall = std::function<void(Parts&)>;

  PartCalls(std::shared_ptr<const ColumnHost> host, Index parts, Recall recall);
  /// The fit ends.
  ~PartCalls();
  PartCalls(const PartCalls&) = delete;
  PartCalls& operator=(const PartCalls&) = delete;

  Index count() const { return static_cast<Index>(epochs_.size()); }
  Parts all() const;
  /// What parts answer to a message: what is the same for all of them, and what each is told beside it.
  std::vector<std::string> ask(std::string_view method, std::string common, const Parts& parts, const Own& own);
  /// The same, not kept. Parts that are lost are taken out, and answers are those of the others.
  std::vector<std::string> tell(std::string_view method, std::string_view common, Parts& parts, const Own& own);
  /// Does something that calls tell() for some parts, and for those that are lost meanwhile what brings them there.
  void tell_all(const Recall& what);
  void forget_log() { log_.clear(); }

 private:
  struct Sent {
    std::string_view method;
    std::string common;
    std::vector<std::string> own;  // of each part, empty where it is not among those asked
  };
  static constexpr int kMostLosses = 100;  // of one part in one fit

  std::vector<std::string> tell_again(Parts& parts);

  HostCalls calls_;
  Recall recall_;
  std::uint64_t fit_;
  std::vector<std::uint64_t> epochs_;  // messages to each part
  std::vector<int> losses_;
  std::vector<Sent> log_;
};

}  // namespace riata
