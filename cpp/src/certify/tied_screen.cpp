#include "certify/tied_screen.hpp"

#include <algorithm>
#include <utility>

#include "parallel.hpp"

namespace riata {

TiedScreen::TiedScreen(const PenaltyFamily& penalty, const StandardizedColumns& columns, const ColumnNorms& norms,
                       Index first, Index last, Index outputs, bool full_working_set, int threads)
    : ColumnScreen(penalty, columns, norms, first, last, outputs, full_working_set, threads),
      bounds_(Vec::Zero(last - first)),
      estimates_(bounds_),
      read_(1, Read{Vec::Zero((last - first) * outputs), Vec::Zero((last - first) * outputs)}) {}

std::vector<Candidate> TiedScreen::estimate_candidates(const ScreeningQuery& query) {
  query_ = query;
  bound_each();
  collect_candidates();
  return std::move(candidates_);
}

void TiedScreen::bound_columns() {
  if (!(query_.lambda < kInfinity)) return need_all();
  bound_each();
  bound_together();
  if (columns_to_check_.empty()) collect_candidates();
}

/// Bounds and estimates of |c| for the residual asked for, of several outputs of the norm.
void TiedScreen::bound_each() {
  double scale = 0.0;  // taken out of the squares
  for (std::size_t k = 0; k < reference_.size(); ++k) scale = std::max(scale, reference_[k].scale(query_.residual[k]));
  const Index chunks = (size() + kScreenChunk - 1) / kScreenChunk;
  parallel_for(chunks, worth_threads(threads_, 4.0 * static_cast<double>(size() * outputs_)), [&](Index chunk) {
    const Index begin = chunk * kScreenChunk, count = std::min(kScreenChunk, size() - begin);
    Vec bounds = Vec::Zero(count), estimates = bounds;
    for (std::size_t k = 0; k < reference_.size() && scale > 0.0; ++k) {
      reference_[k].add_squares(query_.residual[k], begin, scale, bounds, estimates);
    }
    bounds_.segment(begin, count) = scale * bounds.cwiseSqrt();
    estimates_.segment(begin, count) = scale * estimates.cwiseSqrt();
  });
}

void TiedScreen::begin_pieces(Index /*pieces*/) {
  read_.resize(round_.size(), read_.front());
}

void TiedScreen::classify(Index /*piece*/, Index j, std::span<const Vec> c, std::span<const Vec> slack) {
  for (std::size_t q = 0; q < round_.size(); ++q) {
    read_[q].c.segment((j - first_) * outputs_, outputs_) = c[q];
    read_[q].slack.segment((j - first_) * outputs_, outputs_) = slack[q];
  }
}

}  // namespace riata
