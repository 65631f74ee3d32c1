#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "knockoff/haplotype_chain_rows.hpp"
#include "knockoff/haplotype_kernels.hpp"
#include "riata/kernel/isa.hpp"
#include "riata/knockoff/haplotypes.hpp"

using namespace riata;

namespace {

constexpr Index kVariants = 150, kClusters = 5, kSamples = 37;

struct Words {
  std::vector<std::uint32_t> words;
  bool phased = false;
  GenotypeWords view() const { return {kSamples, kVariants, words.data(), phased}; }
};

/// Genotypes, or haplotypes, in stretches that samples share, some calls missing.
Words genotypes(bool phased = false) {
  std::mt19937 rng(1);
  std::vector<std::vector<int>> founders(4, std::vector<int>(kVariants));
  for (auto& founder : founders) {
    for (int& allele : founder) allele = static_cast<int>(rng() % 2);
  }
  Words out{std::vector<std::uint32_t>(3 * kVariants, 0x55555555u), phased};
  constexpr std::uint32_t codes[3] = {3, 2, 0};
  for (Index i = 0; i < kSamples; ++i) {
    std::size_t one = rng() % 4, two = rng() % 4;
    for (Index j = 0; j < kVariants; ++j) {
      if (rng() % 20 == 0) one = rng() % 4;
      if (rng() % 20 == 0) two = rng() % 4;
      if (phased) two = one;
      const auto at = static_cast<std::size_t>(j);
      const std::uint32_t code = rng() % 30 == 0 ? 1 : codes[founders[one][at] + founders[two][at]];
      out.words[static_cast<std::size_t>(i / 16 * kVariants + j)] ^= (code ^ 1u) << (2 * (i % 16));
    }
  }
  return out;
}

struct Restore {
  ~Restore() { set_isa("auto"); }
};

}  // namespace

TEST_CASE("instruction sets agree on expectations, and all but on draws") {
  const Restore restore;
  bool phased = false;
  SUBCASE("genotypes") {}
  SUBCASE("haplotypes") {
    phased = true;
  }
  const Words given = genotypes(phased);
  const GenotypeWords view = given.view();
  set_isa("baseline");
  HaplotypeChain chain = start_haplotypes(view, kClusters, 3);
  for (int k = 0; k < 5; ++k) chain = step_haplotypes(view, chain, 1, {}).chain;
  const HaplotypeStep expected = step_haplotypes(view, chain, 1, {});
  const std::vector<Index> ends{20, 21, 90, 150};
  const std::vector<std::uint8_t> fixed(kVariants, 0);
  std::vector<std::uint32_t> drawn(given.words.size()), other(drawn.size());
  knock_off_haplotypes(view, chain, ends, fixed, {7, 0}, drawn.data(), 1, {});
  for (const std::string name : {"avx2", "avx512"}) {
    if (!has_isa(name)) continue;
    CAPTURE(name);
    set_isa(name);
    const HaplotypeStep found = step_haplotypes(view, chain, 2, {});
    CHECK(found.log_likelihood == doctest::Approx(expected.log_likelihood).epsilon(1e-6));
    double worst = 0.0;
    for (std::size_t k = 0; k < found.chain.allele.size(); ++k) {
      worst = std::fmax(worst, std::fabs(found.chain.allele[k] - expected.chain.allele[k]));
      worst = std::fmax(worst, std::fabs(found.chain.landing[k] - expected.chain.landing[k]));
    }
    CHECK(worst < 1e-4);
    knock_off_haplotypes(view, chain, ends, fixed, {7, 0}, other.data(), 2, {});
    int differ = 0;
    for (std::size_t k = 0; k < drawn.size(); ++k) differ += drawn[k] != other[k];
    CHECK(differ < static_cast<int>(drawn.size()) / 20);  // rounding may change a draw, and what follows from it
  }
}

TEST_CASE("samples are gathered into words and scattered back") {
  std::mt19937 rng(2);
  constexpr Index variants = 9, stride = 12;
  std::vector<std::uint8_t> packed(variants * stride), back(variants * stride, 0xff);
  for (auto& byte : packed) byte = static_cast<std::uint8_t>(rng());
  std::vector<Index> samples;
  for (Index k = 0; k < 41; ++k) samples.push_back((7 * k + 3) % 48);
  std::vector<std::uint32_t> words(3 * variants);
  gather_samples(packed.data(), stride, variants, samples, words.data(), variants);
  for (Index j = 0; j < variants; ++j) {
    for (Index k = 0; k < 48; ++k) {
      const std::uint32_t code = words[static_cast<std::size_t>(k / 16 * variants + j)] >> (2 * (k % 16)) & 3;
      if (k >= 41) {
        CHECK(code == 1);
        continue;
      }
      const Index i = samples[static_cast<std::size_t>(k)];
      CHECK(code == (packed[static_cast<std::size_t>(j * stride + i / 4)] >> (2 * (i % 4)) & 3u));
    }
  }
  const std::vector<Index> columns{8, 0, 1, 2, 3, 4, 5, 6, 7};
  scatter_samples({41, variants, words.data()}, samples, columns, back.data(), stride, 2);
  for (Index j = 0; j < variants; ++j) {
    for (Index i = 0; i < 48; ++i) {
      bool used = false;
      for (const Index each : samples) used = used || each == i;
      const Index to = columns[static_cast<std::size_t>(j)];
      const int code = back[static_cast<std::size_t>(to * stride + i / 4)] >> (2 * (i % 4)) & 3;
      CHECK(code == (used ? packed[static_cast<std::size_t>(j * stride + i / 4)] >> (2 * (i % 4)) & 3 : 3));
    }
  }
}

TEST_CASE("what does not belong together is refused") {
  const Words given = genotypes();
  const GenotypeWords view = given.view();
  const HaplotypeChain chain = start_haplotypes(view, kClusters, 3);
  HaplotypeChain shorter = chain;
  shorter.stay.pop_back();
  CHECK_THROWS_AS(step_haplotypes(view, shorter, 1, {}), std::invalid_argument);
  const std::vector<std::uint8_t> fixed(kVariants, 0);
  std::vector<std::uint32_t> out(given.words.size());
  for (const std::vector<Index>& ends : {std::vector<Index>{20}, {20, 20, 150}, {}}) {
    CHECK_THROWS_AS(knock_off_haplotypes(view, chain, ends, fixed, {}, out.data(), 1, {}), std::invalid_argument);
  }
}
