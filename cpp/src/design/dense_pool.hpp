#pragma once

#include <memory>
#include <new>
#include <vector>

#include "design/pool.hpp"

namespace riata {

/// Packed double columns of any design, aligned to 64 bytes. Held in blocks that never move, so that appending copies
/// nothing twice. The source design must outlive the pool.
class DensePool final : public Pool {
 public:
  explicit DensePool(const Design& source) : Pool(source.rows(), 0), source_(source) {}

  void append(Columns columns, std::span<const double> shift, int threads) override;
  double shift_of(Index k) const override { return shift_[static_cast<std::size_t>(k)]; }
  double dot(Index k, const double* u) const override;
  void axpy(Index k, double a, double* v) const override;
  void axpy_weighted(Index k, double a, const double* weight, double* v) const override;
  std::size_t memory() const override { return memory_; }

  std::string_view kind() const override { return "dense"; }
  double bytes() const override { return static_cast<double>(rows()) * static_cast<double>(cols()) * sizeof(double); }
  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override;
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override;
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override;
  void gather(Columns columns, MatOut out, int threads) const override;
  const double* contiguous(Index k) const override { return line_[static_cast<std::size_t>(k)]; }

 private:
  struct Free {
    void operator()(double* p) const { ::operator delete(p, std::align_val_t{64}); }
  };

  /// Room for up to `wanted` more columns, side by side, `stride()` apart: how many of them fit.
  Index reserve(Index wanted);
  Index stride() const;
  std::vector<const double*> lines_of(Columns columns) const;

  const Design& source_;
  std::vector<const double*> line_;  // per column
  std::vector<double> shift_;
  std::vector<std::unique_ptr<double, Free>> blocks_;
  double* next_ = nullptr;  // free room in the last block
  Index room_ = 0;          // columns that fit there
  std::size_t memory_ = 0;
};

}  // namespace riata
