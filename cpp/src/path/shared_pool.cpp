#include "path/shared_pool.hpp"

#include <cmath>
#include <limits>

namespace riata {
namespace {

constexpr double kShiftAlways = 1e3;    // |mean| / spread beyond which columns are copied so that they can be shifted
constexpr Index kReferenceRows = 4096;  // columns at least this long are referenced in place where possible

}  // namespace

SharedPool::SharedPool(const Design& design, bool centre, bool everything)
    : X_(design),
      centred_(centre),
      whole_(everything),
      pool_(design.make_pool()),
      position_(static_cast<std::size_t>(design.cols()), -1) {}

void SharedPool::require(std::span<const Index> features, const Vec& mean, const Vec& spread, int threads,
                         Counters& counters) {
  std::vector<Index> missing;
  std::vector<double> shift;
  for (Index j : features) {
    if (position_[static_cast<std::size_t>(j)] >= 0) continue;
    position_[static_cast<std::size_t>(j)] =
        static_cast<std::int32_t>(pool_->cols() + static_cast<Index>(missing.size()));
    missing.push_back(j);
    const double m = centred_ ? mean[j] : 0.0;
    const bool reference = (whole_ || X_.rows() >= kReferenceRows) && X_.contiguous(j) != nullptr &&
                           std::abs(m) <= kShiftAlways * spread[j];
    shift.push_back(reference ? std::numeric_limits<double>::quiet_NaN() : m);
  }
  if (missing.empty()) return;
  pool_->append(missing, shift, threads);
  counters.columns_gathered += static_cast<Index>(missing.size());
}

}  // namespace riata
