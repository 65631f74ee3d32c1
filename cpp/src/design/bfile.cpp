#include "riata/design/bfile.hpp"

#include <string_view>
#include <utility>

#include "riata/io/mmap.hpp"

namespace riata {
namespace {

std::vector<TextColumn> read_table(const std::string& path, const std::string& names,
                                   const std::vector<TextField>& fields) {
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  std::vector<TextColumn> columns = read_text_columns(text, {path, 6, names}, fields);
  file.check();
  return columns;
}

}  // namespace

Bfile open_bfile(const std::string& prefix, CountedAllele counted, int threads) {
  auto fam = read_table(prefix + ".fam", "FID IID father mother sex phenotype",
                        {{0, TextKind::text, "FID"}, {1, TextKind::text, "IID"}});
  auto bim = read_table(prefix + ".bim", "chromosome ID centimorgan position A1 A2",
                        {{0, TextKind::text, "chromosome"},
                         {1, TextKind::text, "ID"},
                         {3, TextKind::integer, "position"},
                         {4, TextKind::text, "A1"},
                         {5, TextKind::text, "A2"}});
  Bfile out;
  out.family = std::move(fam[0].texts);
  out.sample = std::move(fam[1].texts);
  out.chromosome = std::move(bim[0].texts);
  out.variant = std::move(bim[1].texts);
  out.position = std::move(bim[2].integers);
  out.a1 = std::move(bim[3].texts);
  out.a2 = std::move(bim[4].texts);
  out.genotypes = std::make_shared<PlinkDesign>(prefix + ".bed", out.sample.view().size(), out.variant.view().size(),
                                                counted, std::vector<std::uint8_t>{}, threads);
  return out;
}

}  // namespace riata
