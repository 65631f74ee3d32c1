#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/digest.hpp"
#include "riata/api.hpp"

namespace riata {

/// What a fit is, by digests of all that decides the bits of its result.
class Identity {
 public:
  /// Parts of one name count together.
  template <class... Parts>
  void add(std::string_view name, const Parts&... parts) {
    Digest digest;
    digest.add(entry(name));
    (add_to(digest, parts), ...);
    entry(name) = digest.value();
  }
  /// All options that decide.
  template <class Options>
  void add_options(const Options& options) {
    Options::describe(options, [this](const Option& option, const auto& value) {
      if (option.decides) add(option.title(), value);
    });
  }

  bool operator==(const Identity& other) const = default;
  /// The names of what differs, as a list in words.
  std::string differences(const Identity& other) const;

  /// See checkpoint/archive.hpp.
  template <class Archive>
  void state(Archive& archive) {
    archive(entries_);
  }

 private:
  template <class Part>
  static void add_to(Digest& digest, const Part& part) {
    if constexpr (requires { part.name(); }) {
      add_to(digest, part.name());
    } else if constexpr (requires { part.data(); }) {
      digest.add(static_cast<std::uint64_t>(part.size()));
      digest.add(part.data(), static_cast<std::size_t>(part.size()) * sizeof(*part.data()));
    } else {
      digest.add(&part, sizeof part);
    }
  }
  std::uint64_t& entry(std::string_view name);

  std::vector<std::pair<std::string, std::uint64_t>> entries_;
};

/// That of a call of fit_paths(), but for the values of X: those are read anyway.
Identity identity_of(const Design& X, const std::vector<Problem>& problems, const Features& features,
                     const PathOptions& options);

}  // namespace riata
