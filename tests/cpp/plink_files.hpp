#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "riata/design/plink.hpp"

/// Small .bed files and the matrices they hold.
namespace riata::check {

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// A file of its own: suites run side by side.
struct BedFile {
  std::string path =
      (std::filesystem::temp_directory_path() / ("riata_test_" + std::to_string(std::random_device{}()) + ".bed"))
          .string();
  explicit BedFile(const std::vector<std::uint8_t>& bytes) {
    std::ofstream out(path, std::ios::binary);
    for (const std::uint8_t b : bytes) out.put(static_cast<char>(b));
  }
  ~BedFile() { std::filesystem::remove(path); }
  BedFile(const BedFile&) = delete;
  BedFile& operator=(const BedFile&) = delete;
};

/// Copies of A1 to .bed bytes; unused bits are set, so that reading them would show.
inline std::vector<std::uint8_t> encode(const Mat& a1) {
  std::vector<std::uint8_t> bytes = {0x6c, 0x1b, 0x01};
  for (Index j = 0; j < a1.cols(); ++j)
    for (Index i = 0; i < a1.rows(); i += 4) {
      unsigned byte = 0xff;
      for (Index k = i; k < std::min(i + 4, a1.rows()); ++k) {
        const double x = a1(k, j);
        const unsigned code = std::isnan(x) ? 1 : x == 2.0 ? 0 : x == 1.0 ? 2 : 3;
        byte &= ~(3u << (2 * (k - i)));
        byte |= code << (2 * (k - i));
      }
      bytes.push_back(static_cast<std::uint8_t>(byte));
    }
  return bytes;
}

/// Columns in turn: no missing calls, some missing, rare allele, constant 0, constant 2 with missing, all missing.
inline Mat example(Index n, Index p) {
  std::mt19937_64 rng(11);
  std::uniform_real_distribution<double> uniform;
  Mat x(n, p);
  for (Index j = 0; j < p; ++j)
    for (Index i = 0; i < n; ++i) {
      const double u = uniform(rng), missing = uniform(rng);
      const double f = j % 6 == 2 ? 0.03 : 0.4;
      x(i, j) = (u < f ? 1.0 : 0.0) + (uniform(rng) < f ? 1.0 : 0.0);
      if (j % 6 == 1 && missing < 0.15) x(i, j) = kMissing;
      if (j % 6 == 3) x(i, j) = 0.0;
      if (j % 6 == 4) x(i, j) = missing < 0.3 ? kMissing : 2.0;
      if (j % 6 == 5) x(i, j) = kMissing;
    }
  return x;
}

/// Dosages of the counted allele, missing ones at the mean over the included samples.
inline Mat impute(Mat x, CountedAllele counted, const std::vector<std::uint8_t>& include) {
  if (counted == CountedAllele::A2) x = 2.0 - x.array();
  for (Index j = 0; j < x.cols(); ++j) {
    double sum = 0, called = 0;
    for (Index i = 0; i < x.rows(); ++i)
      if (!std::isnan(x(i, j)) && (include.empty() || include[static_cast<std::size_t>(i)] != 0)) {
        sum += x(i, j);
        called += 1;
      }
    for (Index i = 0; i < x.rows(); ++i)
      if (std::isnan(x(i, j))) x(i, j) = called == 0 ? 0.0 : sum / called;
  }
  return x;
}

}  // namespace riata::check
