#pragma once

#include <string_view>

#include "riata/named_variant.hpp"

namespace riata {

/// The losses, by what there is to say of them before there is a response.
namespace losses {

struct Loss {  // what most have: no parameters
  template <class Self, class Visit>
  static void describe(Self&, Visit&&) {}
};

struct Gaussian : Loss {  // squares
  static constexpr std::string_view name = "gaussian";
};
struct Binomial : Loss {  // logistic
  static constexpr std::string_view name = "binomial";
};
struct Poisson : Loss {  // counts, by the logarithm of their mean
  static constexpr std::string_view name = "poisson";
};
struct Huber {
  static constexpr std::string_view name = "huber";
  double delta = 1.345;  // in units of y: residuals count as they are beyond it, squared within

  template <class Self, class Visit>
  static void describe(Self& self, Visit&& visit) {
    visit(Option{"huber_delta", kFinitePositive}, self.delta);
  }
};
struct Cox : Loss {  // survival times; has no intercept
  static constexpr std::string_view name = "cox";
};
struct Multigaussian : Loss {  // squares of several responses; the coefficients of a feature share a norm
  static constexpr std::string_view name = "multigaussian";
};
struct Multinomial : Loss {  // several classes
  static constexpr std::string_view name = "multinomial";
};

struct Title {
  static constexpr const char* text = "loss";
};

}  // namespace losses

/// Which loss, with its parameters; converts from its name.
using LossSpec = NamedVariant<losses::Title, losses::Gaussian, losses::Binomial, losses::Poisson, losses::Huber,
                              losses::Cox, losses::Multigaussian, losses::Multinomial>;

}  // namespace riata
