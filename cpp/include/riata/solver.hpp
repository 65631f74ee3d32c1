#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace riata {

/// How the problem on the working set is solved at one lambda: by the cheapest of the others ("auto"), Newton steps on
/// the active features ("active_set"), coordinate or block descent ("cd"), accelerated proximal gradient steps
/// ("prox"), Newton steps for penalties and losses that tie coefficients together ("newton"), or Newton steps in the
/// space of samples for ridge and elastic nets ("samples"); the last two are chosen, not asked for.
enum class Solver { kAuto, kActiveSet, kDescent, kProximal, kNewton, kSamples };

inline constexpr std::array<std::pair<Solver, std::string_view>, 6> kSolverNames{{{Solver::kAuto, "auto"},
                                                                                  {Solver::kActiveSet, "active_set"},
                                                                                  {Solver::kDescent, "cd"},
                                                                                  {Solver::kProximal, "prox"},
                                                                                  {Solver::kNewton, "newton"},
                                                                                  {Solver::kSamples, "samples"}}};

inline std::string_view name_of(Solver solver) {
  return kSolverNames[static_cast<std::size_t>(solver)].second;
}

/// The solver of that name, one that can be asked for; "homotopy" is an earlier name of "active_set". Throws
/// std::invalid_argument for any other.
inline Solver solver_named(std::string_view name) {
  if (name == "homotopy") return Solver::kActiveSet;
  for (const auto& [solver, its_name] : kSolverNames) {
    if (its_name == name && solver < Solver::kNewton) return solver;
  }
  throw std::invalid_argument("solver must be one of \"auto\", \"active_set\", \"cd\", \"prox\", got \"" +
                              std::string(name) + "\"");
}

}  // namespace riata
