#pragma once

#include <cmath>
#include <string_view>

#include "riata/named_variant.hpp"

namespace riata {

/// The penalties, by what there is to say of them beside lambda, l1_ratio and what features have of their own. All but
/// the first are without bounds, and all but the first two for losses of one output; those that tie features take
/// penalty factors of 0, 1 and infinity.
namespace penalties {

struct ElasticNet {
  static constexpr std::string_view name = "elastic_net";
  bool row_grouped = false;  // the coefficients of a feature share a norm; always for losses::Multigaussian

  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    visit(Option{"row_grouped"}, self.row_grouped);
  }
};

/// Norms of the groups of Features::group; with several outputs, of the coefficients of all of them.
struct Group {
  static constexpr std::string_view name = "group";
  double l1_within_ratio = 0.0;  // weight of |b|_1; the norms have the rest

  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    visit(Option{"l1_within_ratio", kShare}, self.l1_within_ratio);
  }
};

struct Mcp {
  static constexpr std::string_view name = "mcp";
  double gamma = 3.0;  // the slope has ended at gamma lambda

  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    constexpr Allowed above{"be finite and > 1 with penalty \"mcp\"",
                            [](double v) { return v > 1.0 && std::isfinite(v); }};
    visit(Option{"gamma", above}, self.gamma);
  }
};

struct Scad {
  static constexpr std::string_view name = "scad";
  double gamma = 3.0;  // the slope has ended at gamma lambda

  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    constexpr Allowed above{"be finite and > 2 with penalty \"scad\"",
                            [](double v) { return v > 2.0 && std::isfinite(v); }};
    visit(Option{"gamma", above}, self.gamma);
  }
};

/// The sorted l1 norm of Features::sorted_weights.
struct Slope {
  static constexpr std::string_view name = "slope";

  template <class Self, class Visit>
  static void describe(Self&, Visit&&) {}
};

struct Title {
  static constexpr const char* text = "penalty";
};

}  // namespace penalties

/// Which penalty, with its parameters; converts from its name.
using PenaltySpec = NamedVariant<penalties::Title, penalties::ElasticNet, penalties::Group, penalties::Mcp,
                                 penalties::Scad, penalties::Slope>;

}  // namespace riata
