#pragma once

#include <cmath>

/// Options described once, for all that check, compare or read them.
namespace riata {

/// What a number may be, and how messages say so.
struct Allowed {
  const char* words;
  bool (*holds)(double);
};
inline constexpr Allowed kAnything{"be a number", [](double) { return true; }};
inline constexpr Allowed kNotNegative{"be >= 0", [](double v) { return v >= 0.0; }};
inline constexpr Allowed kAtLeastOne{"be >= 1", [](double v) { return v >= 1.0; }};
inline constexpr Allowed kShare{"lie in [0, 1]", [](double v) { return v >= 0.0 && v <= 1.0; }};
inline constexpr Allowed kFinitePositive{"be finite and > 0", [](double v) { return v > 0.0 && std::isfinite(v); }};

/// What there is to say of an option beside its value. Whoever has options lists them once, in
///   template <class Self, class Visit> static void describe(Self& self, Visit&& visit)
/// as visit(Option{...}, self.value); what checks them, tells one fit from another, or reads them from Python, visits.
struct Option {
  const char* name;
  Allowed allowed = kAnything;
  bool decides = true;           // whether a fit of another value is another fit
  const char* called = nullptr;  // by messages about that, where not by its name

  const char* title() const { return called != nullptr ? called : name; }
};

}  // namespace riata
