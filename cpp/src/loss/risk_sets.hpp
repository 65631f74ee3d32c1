#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "riata/loss/survival.hpp"
#include "riata/types.hpp"

namespace riata {

/// Who is at risk at each event, sorted once. Events are the distinct times at which somebody has one, of each stratum.
/// Sums over all risk sets, and over all events of each row, take O(n + events), or O(n + events log events) with late
/// entry, and neither subtract nor overflow.
///
/// A row is at risk over an interval of events. Chains of *cells* run over the events, each cell adding its own rows to
/// the sum of the cell before it. Rows there from the beginning are in one cell of a chain from the last event back to
/// the first. Other intervals [low, high] are cut at the multiple of the largest power of two that they contain: the
/// parts on either side begin and end chains that cover blocks of that size.
class RiskSets {
 public:
  /// Rows with omega > 0. Throws std::invalid_argument for values outside their domain and when there is no event.
  RiskSets(const Vec& time, const Survival& survival, const Vec& omega);

  /// Number of events K.
  Index size() const { return static_cast<Index>(tie_begin_.size()) - 1; }
  double time(Index k) const { return time_[static_cast<std::size_t>(k)]; }
  double stratum(Index k) const { return stratum_[static_cast<std::size_t>(k)]; }
  /// Rows that have event k.
  std::span<const Index> tied(Index k) const {
    const auto first = tie_begin_[static_cast<std::size_t>(k)], last = tie_begin_[static_cast<std::size_t>(k) + 1];
    return std::span(tie_row_).subspan(first, last - first);
  }

  /// Shares q_ki = w_i e^eta_i / sum of these over the risk set of event k, for one eta.
  class Shares {
   public:
    Shares(const RiskSets& sets, const Vec& weights, const Vec& eta);
    /// log(sum over the risk set of w e^eta) - level. Near the highest eta it loses nothing to their size.
    double log_total(Index k, double level) const { return (highest_[k] - level) + log_sum_[k]; }
    /// q_ki of a row at risk, given its eta.
    double share(Index k, Index row, double eta) const {
      return near_ ? size_[row] / sum_[k] : size_[row] * std::exp(-log_total(k, eta));
    }
    /// means_k = sum_i q_ki v_i.
    void means(const double* v, Vec& means) const;
    /// out_i = sum_k q_ki g_k, or q_ki^2 in the place of q_ki.
    Vec spread(const Vec& g, bool squared = false) const;

   private:
    const RiskSets& sets_;
    bool near_;                    // whether all eta are so close that one exponent serves them all
    Vec size_;                     // w e^(eta - highest eta) where near, else w
    Vec highest_, sum_, log_sum_;  // of each event: the highest eta, sum of w e^(eta - highest), its log
    Vec own_;                      // of each member: its share of the sum of its cell
    Vec carry_;                    // of each cell: what the cell before it has of the sum
    Vec part_;                     // of each cell: its sum as a share of the whole risk set
  };

 private:
  struct Member {
    Index cell, row;
  };
  void add_stratum(std::span<const double> times, const Vec& time, const Survival& survival,
                   std::span<const Index> rows, std::vector<Member>& members);
  Index add_chains(Index events, std::span<const Index> levels);

  Index rows_;
  std::vector<double> time_, stratum_;  // of each event; they increase within a stratum
  std::vector<Index> cell_event_;
  std::vector<char> linked_;  // whether the cell adds to the one before it
  std::vector<std::size_t> cell_begin_;
  std::vector<Index> member_;  // rows, cell by cell
  std::vector<std::size_t> tie_begin_;
  std::vector<Index> tie_row_;
};

}  // namespace riata
