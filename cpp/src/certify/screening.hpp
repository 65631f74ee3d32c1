#pragma once

#include <memory>
#include <span>
#include <vector>

#include "certify/column_screen.hpp"
#include "certify/reference_subspace.hpp"
#include "loss/loss.hpp"
#include "solver/path_point.hpp"

namespace riata {

/// What a fit asks of the columns outside its working set, wherever these are: the residuals that bounds refer to and
/// the right-hand sides to read, made once for all parts; answers are put together in the order of the columns.
class Screening {
 public:
  /// `copies`: products with rounded right-hand sides are those of copies of the columns.
  Screening(const Loss& loss, bool copies);
  /// The columns of the next part, in order; `usable` of them may be in the working set.
  void add_part(std::unique_ptr<ColumnScreen> part, Index usable);

  /// Features that come into the working set, or leave it.
  void enter(std::span<const Index> features);
  void leave(std::span<const Index> features);
  /// Usable features outside it.
  Index n_outside() const { return n_outside_; }

  /// Features that are estimated to be at ScreeningQuery::strong or more, from what is known.
  std::vector<Candidate> candidates(const Vec& rho, ScreeningQuery query);
  /// How many columns outside no bound keeps below their threshold. Not during a round.
  Index count_undecided(const Vec& rho, ScreeningQuery query);
  /// Bounds every column outside for a residual. Where that leaves some undecided they are to be read: needed() of each
  /// part, with the right-hand sides rhs(), which span this residual and the `last` one.
  void begin_round(const Vec& rho, const Vec& last, ScreeningQuery query);
  /// Ends without a round.
  void skip_round();
  bool needs_reading() const;
  const Mat& rhs() const { return rhs_; }
  /// Whether products with nearby right-hand sides will do at first.
  bool may_round() const { return query_.lambda < kInfinity; }
  /// Right-hand sides are to be read: rhs() itself, or `rounded` ones near it.
  const ReadingPlan& begin_pass(const Mat& used, bool rounded);
  ColumnScreen& part(std::size_t i) { return *parts_[i]; }
  /// Gives part i what the null fit needs, from products of its columns with the u of that (columns x K), in the place
  /// of reading.
  void add_null(std::size_t i, Index first_column, const MatIn& products);

  /// What the round has found, in the order of the columns.
  Violators violators() const;
  std::vector<Candidate> found_candidates() const;

  /// See checkpoint/archive.hpp. For use between rounds; leave() and enter() give the rest.
  template <class Archive>
  void state(Archive& archive) {
    archive(reference_);
    for (const auto& part : parts_) archive(*part);
  }

 private:
  void set_query(const Vec& rho, ScreeningQuery query);
  void open_block(const Vec& rho, const Vec& last);

  Index outputs_;
  Index n_outside_ = 0;
  std::vector<ReferenceSubspace> reference_;  // one an output
  std::vector<std::unique_ptr<ColumnScreen>> parts_;
  ScreeningQuery query_{};
  ReadingPlan plan_;
  Mat rhs_;  // of the open blocks, those of each output together
};

}  // namespace riata
