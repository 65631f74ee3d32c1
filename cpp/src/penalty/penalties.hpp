#pragma once

#include <algorithm>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "penalty/concave.hpp"
#include "penalty/group_norm.hpp"
#include "penalty/separable.hpp"
#include "penalty/sorted_l1.hpp"
#include "riata/types.hpp"

/// The penalty of all coefficients of a working set at one lambda, whatever it is made of.
namespace riata {

/// Penalties of single coefficients, each its own unit.
template <SeparablePenalty P>
struct Separate {
  static constexpr bool convex = !ConcavePenalty<P>;
  std::vector<P> at;

  const P& operator[](Index unit) const { return at[static_cast<std::size_t>(unit)]; }
  Index units() const { return static_cast<Index>(at.size()); }
  Index begin(Index unit) const { return unit; }
  bool unpenalised(Index unit) const {
    if constexpr (requires(P p) { p.l2; }) return (*this)[unit].l1 == 0.0 && (*this)[unit].l2 == 0.0;
    return (*this)[unit].l1 == 0.0;
  }
  double value(Index unit, const Vec& b) const { return (*this)[unit].value(b[unit]); }
  double violation(Index unit, const Vec& b, const Vec& c) const {
    return (*this)[unit].kkt_violation(b[unit], c[unit]);
  }
  double violation_at_zero(Index unit, const Vec& c) const { return (*this)[unit].kkt_violation(0.0, c[unit]); }
  bool reaches(Index unit, const Vec& c) const { return std::abs(c[unit]) >= (*this)[unit].l1; }
  void prox(Index unit, Vec& z, double step) const { z[unit] = (*this)[unit].prox(z[unit], step); }
  double feasible_scale(Index unit, const Vec& c) const {
    if constexpr (requires(P p) { p.feasible_scale(0.0); }) return (*this)[unit].feasible_scale(c[unit]);
    return 1.0;
  }
  double conjugate(Index unit, const Vec& c, double scale) const {
    if constexpr (requires(P p) { p.conjugate(0.0); }) return (*this)[unit].conjugate(scale * c[unit]);
    return kInfinity;
  }
};

template <class Family>
inline constexpr bool kIsSeparate = false;
template <SeparablePenalty P>
inline constexpr bool kIsSeparate<Separate<P>> = true;

/// Norms of coefficients that lie together.
struct Grouped {
  static constexpr bool convex = true;
  std::vector<GroupNorm> at;
  std::vector<Index> first;  // coefficient of each unit, and behind the last

  const GroupNorm& operator[](Index unit) const { return at[static_cast<std::size_t>(unit)]; }
  Index units() const { return static_cast<Index>(at.size()); }
  Index begin(Index unit) const { return first[static_cast<std::size_t>(unit)]; }
  auto part(const Vec& v, Index unit) const { return v.segment(begin(unit), begin(unit + 1) - begin(unit)); }
  auto part(Vec& v, Index unit) const { return v.segment(begin(unit), begin(unit + 1) - begin(unit)); }
  bool unpenalised(Index unit) const {
    const GroupNorm& net = (*this)[unit];
    return net.l1 == 0.0 && net.l2 == 0.0 && net.each == 0.0;
  }
  double value(Index unit, const Vec& b) const { return (*this)[unit].value(part(b, unit)); }
  double violation(Index unit, const Vec& b, const Vec& c) const {
    return (*this)[unit].kkt_violation(part(b, unit), part(c, unit));
  }
  double violation_at_zero(Index unit, const Vec& c) const {
    return std::max((*this)[unit].size(part(c, unit)) - (*this)[unit].l1, 0.0);
  }
  bool reaches(Index unit, const Vec& c) const { return (*this)[unit].size(part(c, unit)) >= (*this)[unit].l1; }
  void prox(Index unit, Vec& z, double step) const { (*this)[unit].prox(part(z, unit), step); }
  double feasible_scale(Index unit, const Vec& c) const { return (*this)[unit].feasible_scale(part(c, unit)); }
  double conjugate(Index unit, const Vec& c, double scale) const {
    return (*this)[unit].conjugate(part(c, unit), scale);
  }
};

/// One sorted l1 norm, after some coefficients that are free.
struct Sorted {
  static constexpr bool convex = true;
  SortedL1 net;
  Index free = 0, size = 0;  // coefficients without penalty, and all

  Index units() const { return free + (size > free ? 1 : 0); }
  Index begin(Index unit) const { return unit <= free ? unit : size; }
  auto part(const Vec& v) const { return v.segment(free, size - free); }
  auto part(Vec& v) const { return v.segment(free, size - free); }
  bool unpenalised(Index unit) const { return unit < free; }
  double value(Index unit, const Vec& b) const { return unpenalised(unit) ? 0.0 : net.value(part(b)); }
  double violation(Index unit, const Vec& b, const Vec& c) const {
    return unpenalised(unit) ? std::abs(c[unit]) : net.kkt_violation(part(b), part(c));
  }
  double violation_at_zero(Index unit, const Vec& c) const { return violation(unit, Vec::Zero(size), c); }
  bool reaches(Index /*unit*/, const Vec& /*c*/) const { return true; }
  void prox(Index unit, Vec& z, double step) const {
    if (!unpenalised(unit)) net.prox(part(z), step);
  }
  double feasible_scale(Index unit, const Vec& c) const {
    return unpenalised(unit) ? 1.0 : 1.0 / std::max(net.dual_norm(part(c)), 1.0);
  }
  double conjugate(Index unit, const Vec& c, double scale) const {
    if (unpenalised(unit)) return c[unit] == 0.0 ? 0.0 : kInfinity;
    return scale * net.dual_norm(part(c)) <= 1.0 ? 0.0 : kInfinity;
  }
};

/// The penalty of the coefficients of several features, in one vector. It is a sum over units: single coefficients, the
/// coefficients of a feature or of a group of features together, or, where their order counts, all of them. Throughout,
/// b are coefficients and c the negative gradient of the loss in them.
class Penalties {
 public:
  using Family = std::variant<Separate<ElasticNet>, Separate<Concave>, Grouped, Sorted>;

  Penalties() = default;
  template <SeparablePenalty P>
  explicit Penalties(std::vector<P> entries) : family_(Separate<P>{std::move(entries)}) {}
  explicit Penalties(Family family) : family_(std::move(family)) {}
  Penalties(std::vector<GroupNorm> norms, std::vector<Index> first)
      : family_(Grouped{std::move(norms), std::move(first)}) {}
  /// One norm for the `width` coefficients of each feature.
  Penalties(std::vector<GroupNorm> norms, Index width) {
    std::vector<Index> first(norms.size() + 1);
    for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<Index>(i) * width;
    family_ = Grouped{std::move(norms), std::move(first)};
  }

  /// The family, or null when the penalty is of another one.
  const Grouped* grouped() const { return std::get_if<Grouped>(&family_); }
  const Sorted* sorted() const { return std::get_if<Sorted>(&family_); }
  std::span<const ElasticNet> entries() const {
    const auto* family = std::get_if<Separate<ElasticNet>>(&family_);
    return family != nullptr ? std::span<const ElasticNet>(family->at) : std::span<const ElasticNet>();
  }
  /// fn of the penalties of single coefficients, a span of whatever class they are. There is no other penalty.
  template <class Fn>
  auto visit_separate(const Fn& fn) const {
    using Out = decltype(fn(std::span<const ElasticNet>()));
    return std::visit(
        [&](const auto& f) -> Out {
          if constexpr (kIsSeparate<std::remove_cvref_t<decltype(f)>>) {
            return fn(std::span(f.at));
          } else {
            throw std::logic_error("a penalty of single coefficients is asked for");
          }
        },
        family_);
  }
  /// Whether a duality gap can be told.
  bool convex() const {
    return std::visit([](const auto& f) { return f.convex; }, family_);
  }
  /// The slope at |b| > 0 of a single coefficient, and how fast it falls at most, where the penalty is not convex.
  double slope(Index unit, double size) const {
    return of_concave([&](const auto& f) { return f[unit].slope(size); });
  }
  double concavity(Index unit) const {
    return of_concave([&](const auto& f) { return f[unit].concavity(); });
  }

  Index units() const {
    return std::visit([](const auto& f) { return f.units(); }, family_);
  }
  /// First coefficient of a unit; of units(), behind the last one.
  Index begin(Index unit) const {
    return std::visit([&](const auto& f) { return f.begin(unit); }, family_);
  }
  /// Neither l1 nor l2 part: bounds at most.
  bool unpenalised(Index unit) const {
    return std::visit([&](const auto& f) { return f.unpenalised(unit); }, family_);
  }

  double value(Index unit, const Vec& b) const {
    return std::visit([&](const auto& f) { return f.value(unit, b); }, family_);
  }
  double value(const Vec& b) const {
    return std::visit(
        [&](const auto& f) {
          double sum = 0.0;
          for (Index i = 0; i < f.units(); ++i) sum += f.value(i, b);
          return sum;
        },
        family_);
  }

  double violation(Index unit, const Vec& b, const Vec& c) const {
    return std::visit([&](const auto& f) { return f.violation(unit, b, c); }, family_);
  }
  double worst_violation(const Vec& b, const Vec& c) const {
    return std::visit(
        [&](const auto& f) {
          double worst = 0.0;
          for (Index i = 0; i < f.units(); ++i) worst = std::max(worst, f.violation(i, b, c));
          return worst;
        },
        family_);
  }
  /// The violation where b is zero.
  double violation_at_zero(Index unit, const Vec& c) const {
    return std::visit([&](const auto& f) { return f.violation_at_zero(unit, c); }, family_);
  }
  /// Whether c at zero is where the penalty holds it, or beyond.
  bool reaches(Index unit, const Vec& c) const {
    return std::visit([&](const auto& f) { return f.reaches(unit, c); }, family_);
  }

  /// Largest s in [0, 1] with conjugate(s c) finite.
  double feasible_scale(Index unit, const Vec& c) const {
    return std::visit([&](const auto& f) { return f.feasible_scale(unit, c); }, family_);
  }
  /// Conjugate at scale * c.
  double conjugate(Index unit, const Vec& c, double scale) const {
    return std::visit([&](const auto& f) { return f.conjugate(unit, c, scale); }, family_);
  }
  /// c'b of a unit.
  double product(Index unit, const Vec& b, const Vec& c) const {
    const Index first = begin(unit), size = begin(unit + 1) - first;
    return b.segment(first, size).dot(c.segment(first, size));
  }
  /// |c| of a unit.
  double size(Index unit, const Vec& c) const {
    const Index first = begin(unit);
    return safe_norm(c.segment(first, begin(unit + 1) - first));
  }

  /// argmin over x of |x - z|^2 / (2 step) + value, in place of z; step[i] is that of unit i.
  void prox(Vec& z, const Vec& step) const {
    std::visit(
        [&](const auto& f) {
          for (Index i = 0; i < f.units(); ++i) f.prox(i, z, step[i]);
        },
        family_);
  }

 private:
  template <class Fn>
  double of_concave(const Fn& fn) const {
    return std::visit(
        [&](const auto& f) {
          if constexpr (!std::remove_cvref_t<decltype(f)>::convex) return fn(f);
          return 0.0;
        },
        family_);
  }

  Family family_;
};

}  // namespace riata
