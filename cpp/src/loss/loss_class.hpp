#pragma once

#include <concepts>
#include <type_traits>

#include "loss/loss.hpp"

namespace riata {

/// A loss as fits hold it, through Loss: a class with all that has no default there, whatever it is made of.
template <class L>
concept LossClass =
    std::derived_from<L, Loss> && !std::is_abstract_v<L> && requires(const L& loss, const Vec& eta, Vec& u, Vec& h) {
      { loss.value(eta) } -> std::same_as<double>;
      { loss.derivatives(eta, u, h) } -> std::same_as<void>;
      { loss.dual(u) } -> std::same_as<double>;
      { loss.saturated() } -> std::same_as<double>;
      { loss.outputs() } -> std::same_as<Index>;
    };

/// One that is made of y, omega and its parameters, as make_loss() does.
template <class L, class... Parameters>
concept RowLoss = LossClass<L> && std::constructible_from<L, Vec, Vec, Parameters...>;

}  // namespace riata
