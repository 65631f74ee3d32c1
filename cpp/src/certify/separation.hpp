#pragma once

#include "loss/loss.hpp"

namespace riata {

/// Whether columns separate some rows from all others: along a combination of them (and of a constant, with `constant`)
/// that leaves alone the rows that are not fitted already, the loss of the rest falls for ever. Coefficients then have
/// no finite optimum, as where all samples of a level are cases. At the n x K linear predictors eta of a fit, with u
/// the negative gradient there; such a combination is a proof, that none is found is not.
bool separates(const Loss& loss, const Mat& columns, bool constant, const Mat& eta, const Mat& u);

}  // namespace riata
