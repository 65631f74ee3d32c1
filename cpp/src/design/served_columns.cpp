#include "design/served_columns.hpp"

#include <stdexcept>
#include <vector>

#include "design/sparse_columns.hpp"
#include "io/memory_archive.hpp"
#include "kernel/kernels.hpp"
#include "riata/design/plink.hpp"

namespace riata {
namespace {

std::string about(const Design& X, Index first) {
  PartAbout out;
  out.first = first;
  out.rows = X.rows();
  out.cols = X.cols();
  out.held_as = held_as(X);
  out.kind = X.kind();
  out.version = RIATA_VERSION;
  out.isa = kernels().name;
  out.traits = X.traits();
  out.bytes = X.bytes();
  out.multiplications = X.multiplications(X.cols(), 1);
  return to_bytes(out);
}

std::string fetch(const Design& X, Columns columns, int threads) {
  if (const auto* plink = dynamic_cast<const PlinkDesign*>(&X)) {
    FetchedPacked out;
    plink->copy_packed(columns, out.bytes, out.tables, out.missing);
    return to_bytes(out);
  }
  if (held_as(X) == HeldAs::kSparse) {
    const auto& sparse = dynamic_cast<const SparseDesign&>(X);
    FetchedSparse out;
    for (const Index j : columns) {
      const std::size_t before = out.rows.size(), size = static_cast<std::size_t>(sparse.column_size(j));
      out.sizes.push_back(static_cast<Index>(size));
      out.rows.resize(before + size);
      out.values.resize(before + size);
      sparse.copy_column(j, out.rows.data() + before, out.values.data() + before);
    }
    return to_bytes(out);
  }
  Mat values(X.rows(), static_cast<Index>(columns.size()));
  X.gather(columns, values, threads);
  NarrowMatrix out(values);
  return to_bytes(out);
}

}  // namespace

HeldAs held_as(const Design& X) {
  if (dynamic_cast<const PlinkDesign*>(&X) != nullptr) return HeldAs::kPacked;
  if (dynamic_cast<const SparseDesign*>(&X) != nullptr && X.traits().concurrent) {
    return X.traits().compact_pool ? HeldAs::kSparse : HeldAs::kNumbers;
  }
  if (X.kind() != "dense") {
    throw std::invalid_argument("a part of X must be dense, sparse or PLINK genotypes, got \"" + std::string(X.kind()) +
                                '"');
  }
  return HeldAs::kNumbers;
}

std::string answer_of_columns(const Design& X, Index first, std::string_view method, std::string_view common,
                              std::string_view own, int threads) {
  if (method == "about") return about(X, first);
  std::vector<Index> columns;
  from_bytes(own, columns);
  const Index count = static_cast<Index>(columns.size());
  for (const Index j : columns) {
    if (j < 0 || j >= X.cols()) throw std::invalid_argument("columns must be those of the part that is asked");
  }
  if (method == "fetch") return fetch(X, columns, threads);
  NarrowMatrix narrow;
  from_bytes(common, narrow);
  if (!narrow.sound() || narrow.rows() != X.rows()) {
    throw std::invalid_argument("right-hand sides must have as many rows as X");
  }
  const Mat sides = narrow.unpacked();
  Mat out(count, sides.cols());
  if (method == "moments") {
    Mat variance(count, sides.cols());
    X.moments(columns, sides, out, variance, threads);
    return to_bytes(out, variance);
  }
  if (method == "correlate") {
    X.correlate(columns, sides, out, threads);
  } else if (method == "correlate_rounded") {
    X.correlate_rounded(columns, sides, out, threads);
  } else {
    throw std::invalid_argument("method must be one that parts of X answer, got \"" + std::string(method) + '"');
  }
  return to_bytes(out);
}

}  // namespace riata
