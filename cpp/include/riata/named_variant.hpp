#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "riata/option.hpp"

namespace riata {

/// One of several kinds, each with parameters of its own and the `name` by which it may be given in their place:
/// `options.loss = "huber"` or `options.loss = losses::Huber{2.0}`.
/// `Title` has the `text` by which messages call it.
template <class Title, class... Kinds>
class NamedVariant {
 public:
  NamedVariant() = default;
  template <class Kind>
    requires(std::same_as<std::remove_cvref_t<Kind>, Kinds> || ...)
  NamedVariant(Kind kind) : kind_(kind) {}
  /// The kind of that name, with the parameters that it begins with.
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  NamedVariant(const Text& name) {
    if (!(set(Kinds{}, name) || ...)) refuse(name);
  }

  std::string_view name() const {
    return std::visit([](const auto& kind) { return kind.name; }, kind_);
  }
  template <class Kind>
  bool is() const {
    return std::holds_alternative<Kind>(kind_);
  }
  /// The parameters, or null where it is of another kind.
  template <class Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&kind_);
  }
  template <class Kind>
  Kind* as() {
    return std::get_if<Kind>(&kind_);
  }
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(f, kind_);
  }

  /// The parameters of all kinds, those that it is not with what they begin with; see Option.
  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    (describe_kind<Kinds>(self, visit), ...);
  }

 private:
  template <class Kind>
  bool set(Kind kind, std::string_view name) {
    if (kind.name != name) return false;
    kind_ = kind;
    return true;
  }
  [[noreturn]] static void refuse(std::string_view name) {
    std::string known;
    std::size_t left = sizeof...(Kinds);
    ((known += '"' + std::string(Kinds::name) + (--left > 1 ? "\", " : left == 1 ? "\" or " : "\"")), ...);
    throw std::invalid_argument(std::string(Title::text) + " must be " + known + ", got \"" + std::string(name) + '"');
  }
  template <class Kind, class Self, class Visit>
  static void describe_kind(Self& self, Visit&& visit) {
    if (auto* const own = std::get_if<Kind>(&self.kind_)) return Kind::describe(*own, visit);
    Kind other;
    Kind::describe(other, visit);
  }

  std::variant<Kinds...> kind_;
};

}  // namespace riata
