#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "riata/design/design.hpp"

namespace riata {

/// One part of a ColumnHost's columns, where these are: it answers what the fits of another process ask. It keeps for
/// each fit what that knows of the columns outside its working set, until the fit has ended.
class ColumnServer {
 public:
  /// The columns of X are those from number `first` on of a larger one. `threads` to use. Throws std::invalid_argument
  /// for a storage whose columns cannot be brought close as they are: it must be dense, sparse or PLINK genotypes.
  ColumnServer(std::shared_ptr<const Design> X, Index first, int threads);
  ~ColumnServer();
  ColumnServer(const ColumnServer&) = delete;
  ColumnServer& operator=(const ColumnServer&) = delete;

  /// The answer to what a ColumnHost was called with. A message that comes again is answered as before. Errors are
  /// answers too, but for those that `poll` throws, which is called now and then.
  std::string answer(std::string_view method, std::string_view common, std::string_view own, const Poll& poll = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace riata
