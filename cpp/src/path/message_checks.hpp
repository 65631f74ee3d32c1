#pragma once

#include <vector>

#include "path/part_messages.hpp"

/// What a part of X takes of a message before it uses it, since the bytes come from another process: each of these
/// throws std::invalid_argument for what no fit tells. And the same of what parts answer.
namespace riata {

/// Throws, unless `holds`, that a message must be something.
void require_message(bool holds, const char* what);

void check_beginning(const FitBeginning& beginning, const PartFeatures& features, Index rows, Index cols);
/// A problem that comes after `before` others of a fit of `problems`, which began with so many null residuals.
void check_problem(const NewProblem& problem, Index problems, Index null_residuals, Index before);
/// Right-hand sides of a problem of so many outputs, for columns of so many rows.
void check_sides(const PackedSides& sides, Index outputs, Index rows, const RoundedProducts& rounded, bool null_known);
void check_recall(const Recall& recall, Index outputs, Index rows, Index cols, const RoundedProducts& rounded,
                  bool null_known);

/// What parts answer, of so many columns each, before a fit uses it: these throw std::runtime_error.
void check_answer(const FirstPassAnswer& answer, Index problems, Index cols, bool copies);
void check_candidates(const std::vector<Candidate>& candidates, Index cols);
void check_answer(const PartAnswer& answer, std::size_t lambdas, Index outputs, Index cols);

}  // namespace riata
