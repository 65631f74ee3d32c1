#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "design/host_messages.hpp"
#include "design/sparse_columns.hpp"
#include "riata/design/column_host.hpp"

namespace riata {

/// Calls of a host, with errors of its parts thrown here.
class HostCalls {
 public:
  explicit HostCalls(std::shared_ptr<const ColumnHost> host) : host_(std::move(host)) {}

  const std::shared_ptr<const ColumnHost>& host() const { return host_; }
  /// What `parts` answer to own[k], each after a head; none where one is stale. Of errors that of the first part is
  /// thrown.
  std::vector<std::optional<std::string>> operator()(std::string_view method, std::string_view common,
                                                     std::span<const Index> parts, std::span<const MessageHead> heads,
                                                     std::span<const std::string> own) const;

 private:
  std::shared_ptr<const ColumnHost> host_;
};

/// The columns of a host as a design. Itself a sparse one where they are, for the pool of such.
class HostedDesign final : public SparseDesign {
 public:
  explicit HostedDesign(std::shared_ptr<const ColumnHost> host);

  const std::shared_ptr<const ColumnHost>& host() const { return calls_.host(); }
  /// First column of each part, and the number of columns.
  const std::vector<Index>& cuts() const { return cuts_; }

  std::string_view kind() const override { return about_.kind; }
  Traits traits() const override;
  double bytes() const override { return about_.bytes; }
  double multiplications(Index columns, Index sides) const override;
  void moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int threads) const override;
  void correlate(Columns columns, const MatIn& R, MatOut out, int threads) const override;
  void round_sides(MatOut R) const override;
  void correlate_rounded(Columns columns, const MatIn& R, MatOut out, int threads) const override;
  /// On columns brought here: sums over parts would be other bits.
  void multiply(Columns columns, const MatIn& B, MatOut out, int threads) const override;
  void gather(Columns columns, MatOut out, int threads) const override;
  std::unique_ptr<Pool> make_pool() const override;

  void expect(Columns columns) const override;
  Index column_size(Index j) const override;
  void copy_column(Index j, std::int32_t* row, double* value) const override;

 private:
  HostedDesign(std::shared_ptr<const ColumnHost> host, const std::vector<PartAbout>& parts);
  HostedDesign(std::shared_ptr<const ColumnHost> host, PartAbout all);
  /// Some of the columns asked for: those of one part.
  struct Share {
    std::vector<Index> columns;  // numbers in the part
    std::vector<Index> places;   // in what was asked for
  };
  /// Calls take(share, answer) for each part that holds some of the columns.
  template <class Take>
  void ask(std::string_view method, std::string_view common, Columns columns, const Take& take) const;
  void correlate_as(std::string_view method, Columns columns, const MatIn& R, MatOut out) const;
  std::unique_ptr<Pool> close(Columns columns, int threads) const;

  HostCalls calls_;
  PartAbout about_;  // of all of them together
  std::vector<Index> cuts_;
  mutable std::vector<Index> expected_;  // sparse columns that are here, in increasing order, and where each begins
  mutable std::vector<std::size_t> begins_;
  mutable FetchedSparse sparse_;
};

}  // namespace riata
