#include "design/shared_pool.hpp"

#include <cmath>
#include <limits>

#include "design/view_pool.hpp"

namespace riata {
namespace {

constexpr double kShiftAlways = 1e3;    // |mean| / spread beyond which columns are copied so that they can be shifted
constexpr Index kReferenceRows = 4096;  // columns at least this long are referenced in place where possible

}  // namespace

SharedPool::SharedPool(const Design& design, bool centre, Use use, const Vec& mean, const Vec& spread)
    : X_(design),
      centred_(centre),
      use_(use),
      mean_(mean),
      spread_(spread),
      small_means_((mean.array().abs() <= spread.array() || spread.array() == 0.0).all()),
      pool_(design.make_pool()),
      position_(static_cast<std::size_t>(design.cols()), -1) {
  const bool large = centred_ && (mean_.array().abs() > kShiftAlways * spread_.array() && spread_.array() > 0.0).any();
  const Traits traits = X_.traits();
  const bool worse = traits.compact_pool || traits.in_place || !traits.concurrent;  // than what the storage itself has
  if (use_ == Use::kProducts && !large && !worse) pool_ = view_pool(X_);
}

void SharedPool::require(std::span<const Index> features, int threads, Counters& counters) {
  const bool in_place = X_.traits().in_place;
  std::vector<Index> missing;
  std::vector<double> shift;
  for (Index j : features) {
    if (position_[static_cast<std::size_t>(j)] >= 0) continue;
    position_[static_cast<std::size_t>(j)] =
        static_cast<std::int32_t>(pool_->cols() + static_cast<Index>(missing.size()));
    missing.push_back(j);
    const double m = centred_ ? mean_[j] : 0.0;
    const bool reference = (use_ != Use::kPart || X_.rows() >= kReferenceRows) &&
                           (in_place || X_.contiguous(j) != nullptr) && std::abs(m) <= kShiftAlways * spread_[j];
    shift.push_back(reference ? std::numeric_limits<double>::quiet_NaN() : m);
  }
  if (missing.empty()) return;
  pool_->append(missing, shift, threads);
  batches_.push_back(static_cast<Index>(missing.size()));
  counters.columns_gathered += static_cast<Index>(missing.size());
}

std::vector<Index> SharedPool::features() const {
  std::vector<Index> out(static_cast<std::size_t>(pool_->cols()));
  for (std::size_t j = 0; j < position_.size(); ++j) {
    if (position_[j] >= 0) out[static_cast<std::size_t>(position_[j])] = static_cast<Index>(j);
  }
  return out;
}

}  // namespace riata
