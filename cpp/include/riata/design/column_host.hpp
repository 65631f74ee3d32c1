#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "riata/design/design.hpp"

namespace riata {

/// Columns of X that other processes hold, in parts: a ColumnServer is at the other end of each. All that a fit asks of
/// them goes through one method, as bytes that whoever carries them need not know.
class ColumnHost {
 public:
  virtual ~ColumnHost() = default;

  /// How many parts there are.
  virtual Index parts() const = 0;

  /// Takes the answer of a part. The first one counts, others may follow.
  using Done = std::function<void(Index part, std::string_view answer)>;

  /// Sends `common`, which may be large and is the same for all, and own[k] to the server of parts[k], and hands over
  /// what each answers, in any order. Called on the thread that entered the library, one call at a time; it returns
  /// when every one has answered. A message may be sent again when its answer is lost. Where the server itself is lost
  /// another one, opened on the same columns, answers in its place: what it has to know is told again.
  virtual void call(std::string_view method, std::string_view common, std::span<const Index> parts,
                    std::span<const std::string> own, const Done& done) const = 0;
};

/// The design of a host's columns: those of its parts, side by side. Fits of it are the same bits as of the same
/// columns in this process. Throws std::invalid_argument when parts are not of one storage, do not follow one another,
/// begin at a column that is no multiple of 16, or are held by another version of the library or processors of another
/// kind.
std::unique_ptr<Design> hosted_design(std::shared_ptr<const ColumnHost> host);

/// Whether other processes hold columns of X.
bool is_hosted(const Design& X);

}  // namespace riata
