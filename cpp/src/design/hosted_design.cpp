#include "design/hosted_design.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "design/csc_pool.hpp"
#include "design/plink_pool.hpp"
#include "design/plink_rounded.hpp"
#include "design/pool.hpp"
#include "io/memory_archive.hpp"
#include "kernel/kernels.hpp"
#include "riata/error.hpp"

namespace riata {
namespace {

constexpr Index kLane = 16;  // columns are bounded in vectors of this many, see ColumnParts

[[noreturn]] void throw_error(AnswerKind kind, PartError error) {
  switch (kind) {
    case AnswerKind::kNonFinite:
      throw NonFiniteError(error.column);
    case AnswerKind::kInvalid:
      throw std::invalid_argument(error.text);
    case AnswerKind::kFile:
      throw FileError(error.text);
    default:
      throw std::runtime_error(error.text);
  }
}

std::vector<PartAbout> about_parts(const ColumnHost& host) {
  std::vector<Index> all(static_cast<std::size_t>(host.parts()));
  if (all.empty()) throw std::invalid_argument("host must have at least one part, got none");
  std::iota(all.begin(), all.end(), Index{0});
  const std::vector<std::string> own(all.size());
  const std::vector<MessageHead> heads(all.size());
  const HostCalls calls(std::shared_ptr<const ColumnHost>(&host, [](const ColumnHost*) {}));
  std::vector<PartAbout> out;
  for (const auto& answer : calls("about", {}, all, heads, own)) from_bytes(*answer, out.emplace_back());
  return out;
}

/// What differs between processes whose numbers have to be the same bits.
void check_alike(const PartAbout& part, std::size_t k) {
  const std::string which = "part " + std::to_string(k);
  const auto refuse = [&](const char* what, const std::string& theirs, const std::string& ours) {
    throw std::invalid_argument(std::string(what) + " must be the same where columns of X are held, got \"" + theirs +
                                "\" at " + which + " and \"" + ours + "\" here");
  };
  if (part.version != RIATA_VERSION) refuse("the version of riata", part.version, RIATA_VERSION);
  if (part.isa != kernels().name) {
    refuse("the instruction set (RIATA_ISA)", part.isa, std::string(kernels().name));
  }
}

PartAbout together(const std::vector<PartAbout>& parts) {
  PartAbout all = parts.front();
  Index next = 0;
  all.bytes = all.multiplications = 0.0;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const PartAbout& part = parts[k];
    check_alike(part, k);
    if (part.first != next || part.first % kLane != 0) {
      throw std::invalid_argument("parts of X must follow one another and begin at multiples of 16, got column " +
                                  std::to_string(part.first) + " as the first of part " + std::to_string(k) +
                                  " after " + std::to_string(next) + " columns");
    }
    if (part.rows != all.rows || part.kind != all.kind || part.held_as != all.held_as ||
        part.traits.fingerprint != all.traits.fingerprint || part.traits.in_place != all.traits.in_place) {
      throw std::invalid_argument("parts of X must have the same rows and storage, got others in part " +
                                  std::to_string(k));
    }
    next += part.cols;
    all.bytes += part.bytes;
    all.multiplications += part.multiplications;
  }
  all.cols = next;
  return all;
}

/// Of the columns that came: what is read by their numbers has to be there.
void require_columns(bool holds) {
  if (!holds) throw std::runtime_error("an answer of a part of X must have the columns that it was asked for");
}

void check_fetched(const FetchedPacked& found, std::size_t count, Index rows) {
  require_columns(found.bytes.size() == count * static_cast<std::size_t>(packed_bytes(rows)) &&
                  found.tables.size() == 4 * count && found.missing.size() == count);
}

void check_fetched(const FetchedSparse& found, std::size_t count, Index rows) {
  std::size_t left = found.rows.size();
  require_columns(found.sizes.size() == count && found.values.size() == left);
  for (const Index size : found.sizes) {
    require_columns(size >= 0 && static_cast<std::size_t>(size) <= left);
    left -= static_cast<std::size_t>(size);
  }
  require_columns(left == 0 && std::all_of(found.rows.begin(), found.rows.end(),
                                           [&](std::int32_t row) { return row >= 0 && row < rows; }));
}

}  // namespace

std::vector<std::optional<std::string>> HostCalls::operator()(std::string_view method, std::string_view common,
                                                              std::span<const Index> parts,
                                                              std::span<const MessageHead> heads,
                                                              std::span<const std::string> own) const {
  std::vector<std::string> messages;
  for (std::size_t k = 0; k < own.size(); ++k) {
    MessageHead head = heads[k];
    messages.push_back(to_bytes(head) + own[k]);
  }
  std::vector<std::optional<std::string>> answers(parts.size());
  host_->call(method, common, parts, messages, [&](Index part, std::string_view answer) {
    const auto at = std::find(parts.begin(), parts.end(), part);
    if (at == parts.end()) return;
    auto& mine = answers[static_cast<std::size_t>(at - parts.begin())];
    if (!mine) mine = std::string(answer);
  });
  for (std::size_t k = 0; k < answers.size(); ++k) {
    if (!answers[k]) throw std::runtime_error("part " + std::to_string(parts[k]) + " of X has not answered");
    MemoryReader reader(*answers[k]);
    AnswerKind kind{};
    reader(kind);
    if (kind == AnswerKind::kStale) {
      answers[k].reset();
    } else if (kind != AnswerKind::kAnswer) {
      PartError error;
      reader(error);
      throw_error(kind, error);
    } else {
      answers[k]->erase(0, sizeof kind);
    }
  }
  return answers;
}

HostedDesign::HostedDesign(std::shared_ptr<const ColumnHost> host) : HostedDesign(host, about_parts(*host)) {}

HostedDesign::HostedDesign(std::shared_ptr<const ColumnHost> host, const std::vector<PartAbout>& parts)
    : HostedDesign(std::move(host), together(parts)) {
  for (const PartAbout& part : parts) cuts_.push_back(part.first);
  cuts_.push_back(about_.cols);
}

HostedDesign::HostedDesign(std::shared_ptr<const ColumnHost> host, PartAbout all)
    : SparseDesign(all.rows, all.cols), calls_(std::move(host)), about_(std::move(all)) {}

/// What is at hand here is asked for one call at a time, and nowhere as contiguous doubles; but columns that are that
/// where they are held come into a pool as they would from there.
Traits HostedDesign::traits() const {
  Traits all = about_.traits;
  all.concurrent = false;
  all.subset_pays = false;  // rows would come from the hosts, as doubles
  all.columns_a_call = std::max<Index>(cols(), 1);
  return all;
}

double HostedDesign::multiplications(Index columns, Index sides) const {
  return about_.multiplications * static_cast<double>(columns) / static_cast<double>(std::max<Index>(cols(), 1)) *
         static_cast<double>(sides);
}

template <class Take>
void HostedDesign::ask(std::string_view method, std::string_view common, Columns columns, const Take& take) const {
  std::vector<Share> shares(cuts_.size() - 1);
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const auto after = std::upper_bound(cuts_.begin(), cuts_.end(), columns[k]);
    Share& share = shares[static_cast<std::size_t>(after - cuts_.begin()) - 1];
    share.columns.push_back(columns[k] - *std::prev(after));
    share.places.push_back(static_cast<Index>(k));
  }
  std::vector<Index> parts;
  std::vector<std::string> own;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    if (shares[k].columns.empty()) continue;
    parts.push_back(static_cast<Index>(k));
    own.push_back(to_bytes(shares[k].columns));
  }
  if (parts.empty()) return;
  const auto answers = calls_(method, common, parts, std::vector<MessageHead>(parts.size()), own);
  for (std::size_t k = 0; k < parts.size(); ++k) take(shares[static_cast<std::size_t>(parts[k])], *answers[k]);
}

void HostedDesign::moments(Columns columns, const MatIn& weights, MatOut mean, MatOut variance, int /*threads*/) const {
  NarrowMatrix narrow(weights);
  ask("moments", to_bytes(narrow), columns, [&](const Share& share, std::string_view answer) {
    Mat m, v;
    from_bytes(answer, m, v);
    const Index count = static_cast<Index>(share.places.size());
    require_columns(m.rows() == count && m.cols() == mean.cols() && v.rows() == count && v.cols() == mean.cols());
    for (std::size_t k = 0; k < share.places.size(); ++k) {
      mean.row(share.places[k]) = m.row(static_cast<Index>(k));
      variance.row(share.places[k]) = v.row(static_cast<Index>(k));
    }
  });
}

void HostedDesign::correlate_as(std::string_view method, Columns columns, const MatIn& R, MatOut out) const {
  NarrowMatrix narrow(R);
  ask(method, to_bytes(narrow), columns, [&](const Share& share, std::string_view answer) {
    Mat found;
    from_bytes(answer, found);
    require_columns(found.rows() == static_cast<Index>(share.places.size()) && found.cols() == out.cols());
    for (std::size_t k = 0; k < share.places.size(); ++k) out.row(share.places[k]) = found.row(static_cast<Index>(k));
  });
}

void HostedDesign::correlate(Columns columns, const MatIn& R, MatOut out, int /*threads*/) const {
  correlate_as("correlate", columns, R, out);
}

void HostedDesign::round_sides(MatOut R) const {
  if (about_.held_as == HeldAs::kPacked) RoundedSides::round(R);
}

void HostedDesign::correlate_rounded(Columns columns, const MatIn& R, MatOut out, int /*threads*/) const {
  correlate_as("correlate_rounded", columns, R, out);
}

/// A pool of some columns, as they are.
std::unique_ptr<Pool> HostedDesign::close(Columns columns, int threads) const {
  std::unique_ptr<Pool> pool = make_pool();
  pool->append(columns, std::vector<double>(columns.size(), 0.0), threads);
  return pool;
}

void HostedDesign::multiply(Columns columns, const MatIn& B, MatOut out, int threads) const {
  if (columns.empty()) {
    out.setZero();
    return;
  }
  std::vector<Index> all(columns.size());
  std::iota(all.begin(), all.end(), Index{0});
  close(columns, threads)->multiply(all, B, out, threads);
}

void HostedDesign::gather(Columns columns, MatOut out, int threads) const {
  if (about_.held_as == HeldAs::kNumbers) {
    return ask("fetch", {}, columns, [&](const Share& share, std::string_view answer) {
      NarrowMatrix narrow;
      from_bytes(answer, narrow);
      require_columns(narrow.sound() && narrow.rows() == rows() &&
                      narrow.cols() == static_cast<Index>(share.places.size()));
      const Mat found = narrow.unpacked();
      for (std::size_t k = 0; k < share.places.size(); ++k) out.col(share.places[k]) = found.col(static_cast<Index>(k));
    });
  }
  if (about_.held_as == HeldAs::kSparse && columns.size() == 1 &&
      std::binary_search(expected_.begin(), expected_.end(), columns.front())) {
    std::vector<std::int32_t> row(static_cast<std::size_t>(column_size(columns.front())));
    std::vector<double> value(row.size());
    copy_column(columns.front(), row.data(), value.data());
    out.setZero();
    for (std::size_t e = 0; e < row.size(); ++e) out(row[e], 0) = value[e];
    return;
  }
  if (columns.empty()) return;
  std::vector<Index> all(columns.size());
  std::iota(all.begin(), all.end(), Index{0});
  close(columns, threads)->gather(all, out, threads);
}

std::unique_ptr<Pool> HostedDesign::make_pool() const {
  if (about_.held_as == HeldAs::kNumbers) return Design::make_pool();
  if (about_.held_as == HeldAs::kSparse) return csc_pool(*this);
  const auto fetched = std::make_shared<std::vector<FetchedPacked>>();  // until the pool has copied them
  return plink_pool(
      rows(),
      [this, fetched](Columns columns) {
        fetched->clear();
        fetched->reserve(cuts_.size());
        PackedColumns out;
        out.bytes.resize(columns.size());
        out.tables.resize(4 * columns.size());
        out.missing.resize(columns.size());
        const std::size_t stride = static_cast<std::size_t>(packed_bytes(rows()));
        ask("fetch", {}, columns, [&](const Share& share, std::string_view answer) {
          FetchedPacked& found = fetched->emplace_back();
          from_bytes(answer, found);
          check_fetched(found, share.places.size(), rows());
          for (std::size_t k = 0; k < share.places.size(); ++k) {
            const auto at = static_cast<std::size_t>(share.places[k]);
            out.bytes[at] = found.bytes.data() + k * stride;
            std::copy_n(found.tables.data() + 4 * k, 4, out.tables.data() + 4 * at);
            out.missing[at] = found.missing[k];
          }
        });
        return out;
      },
      [fetched] { fetched->clear(); });
}

/// Brings columns here, in the place of those that were.
void HostedDesign::expect(Columns columns) const {
  expected_.assign(columns.begin(), columns.end());
  std::sort(expected_.begin(), expected_.end());
  expected_.erase(std::unique(expected_.begin(), expected_.end()), expected_.end());
  begins_.assign(expected_.size(), 0);
  sparse_ = {};
  sparse_.sizes.assign(expected_.size(), 0);
  ask("fetch", {}, expected_, [&](const Share& share, std::string_view answer) {
    FetchedSparse found;
    from_bytes(answer, found);
    check_fetched(found, share.places.size(), rows());
    std::size_t begin = sparse_.rows.size();
    sparse_.rows.insert(sparse_.rows.end(), found.rows.begin(), found.rows.end());
    sparse_.values.insert(sparse_.values.end(), found.values.begin(), found.values.end());
    for (std::size_t k = 0; k < share.places.size(); ++k) {
      const auto at = static_cast<std::size_t>(share.places[k]);
      begins_[at] = begin;
      sparse_.sizes[at] = found.sizes[k];
      begin += static_cast<std::size_t>(found.sizes[k]);
    }
  });
}

Index HostedDesign::column_size(Index j) const {
  const auto at = std::lower_bound(expected_.begin(), expected_.end(), j);
  assert(at != expected_.end() && *at == j);
  return sparse_.sizes[static_cast<std::size_t>(at - expected_.begin())];
}

void HostedDesign::copy_column(Index j, std::int32_t* row, double* value) const {
  const auto at = static_cast<std::size_t>(std::lower_bound(expected_.begin(), expected_.end(), j) - expected_.begin());
  std::copy_n(sparse_.rows.data() + begins_[at], sparse_.sizes[at], row);
  std::copy_n(sparse_.values.data() + begins_[at], sparse_.sizes[at], value);
}

std::unique_ptr<Design> hosted_design(std::shared_ptr<const ColumnHost> host) {
  if (host == nullptr) throw std::invalid_argument("host must be one, got none");
  return std::make_unique<HostedDesign>(std::move(host));
}

}  // namespace riata
