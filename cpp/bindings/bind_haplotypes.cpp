#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "riata/knockoff/haplotypes.hpp"
#include "riata/knockoff/relatives.hpp"
#include "signal_poll.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using riata::Index;
using Numbers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast | kAligned>;
using Reals = py::array_t<double, py::array::c_style | py::array::forcecast | kAligned>;
using Words = py::array_t<std::uint32_t, py::array::c_style | kAligned>;
using Bytes = py::array_t<std::uint8_t, py::array::c_style>;

std::vector<Index> numbers_of(const Numbers& a) {
  return {a.data(), a.data() + a.size()};
}

/// Words of samples as (batches, variants).
riata::GenotypeWords genotypes_of(const Words& words, Index samples, bool phased = false) {
  if (words.ndim() != 2 || samples < 1 || words.shape(0) != (samples + 15) / 16) {
    throw py::value_error("words must have a row for each 16 samples");
  }
  return {samples, words.shape(1), words.data(), phased};
}

riata::HaplotypeChain chain_of(const Reals& stay, const Reals& landing, const Reals& allele) {
  if (stay.ndim() != 1 || landing.ndim() != 2 || allele.ndim() != 2) {
    throw py::value_error("stay must have 1 dimension, landing and allele 2");
  }
  return {stay.size(),
          landing.shape(1),
          {stay.data(), stay.data() + stay.size()},
          {landing.data(), landing.data() + landing.size()},
          {allele.data(), allele.data() + allele.size()}};
}

py::tuple arrays_of(riata::HaplotypeChain&& chain) {
  const std::vector<Index> shape{chain.variants, chain.clusters};
  py::array_t<double> stay = array_of<double>(std::move(chain.stay));
  py::array_t<double> landing = array_of<double>(std::move(chain.landing));
  py::array_t<double> allele = array_of<double>(std::move(chain.allele));
  return py::make_tuple(stay, landing.reshape(shape), allele.reshape(shape));
}

void check_samples(const std::vector<Index>& samples, Index stride) {
  for (const Index i : samples) {
    if (i < 0 || i >= 4 * stride) throw py::value_error("samples must lie in the packed rows");
  }
}

Words gather_samples(const Bytes& packed, const Numbers& samples) {
  if (packed.ndim() != 2) throw py::value_error("packed must have 2 dimensions");
  const std::vector<Index> which = numbers_of(samples);
  check_samples(which, packed.shape(1));
  Words out({(static_cast<Index>(which.size()) + 15) / 16, packed.shape(0)});
  riata::gather_samples(packed.data(), packed.shape(1), packed.shape(0), which, out.mutable_data(), packed.shape(0));
  return out;
}

void scatter_samples(const Words& words, const Numbers& samples, const Numbers& columns, Bytes packed, int n_threads) {
  const std::vector<Index> which = numbers_of(samples), where = numbers_of(columns);
  const riata::GenotypeWords genotypes = genotypes_of(words, static_cast<Index>(which.size()));
  if (packed.ndim() != 2 || static_cast<Index>(where.size()) != genotypes.variants) {
    throw py::value_error("columns must have an entry for each variant");
  }
  check_samples(which, packed.shape(1));
  for (const Index j : where) {
    if (j < 0 || j >= packed.shape(0)) throw py::value_error("columns must be rows of packed");
  }
  std::uint8_t* const to = packed.mutable_data();
  const Index stride = packed.shape(1);
  const py::gil_scoped_release nogil;
  riata::scatter_samples(genotypes, which, where, to, stride, n_threads);
}

py::tuple start_haplotypes(const Words& words, Index n_samples, Index n_clusters, std::uint64_t seed) {
  const riata::GenotypeWords genotypes = genotypes_of(words, n_samples);
  riata::HaplotypeChain chain;
  {
    const py::gil_scoped_release nogil;
    chain = riata::start_haplotypes(genotypes, n_clusters, seed);
  }
  return arrays_of(std::move(chain));
}

py::tuple step_haplotypes(const Words& words, Index n_samples, const Reals& stay, const Reals& landing,
                          const Reals& allele, int n_threads, bool phased) {
  const riata::GenotypeWords genotypes = genotypes_of(words, n_samples, phased);
  const riata::HaplotypeChain chain = chain_of(stay, landing, allele);
  riata::HaplotypeStep step;
  {
    const py::gil_scoped_release nogil;
    step = riata::step_haplotypes(genotypes, chain, n_threads, SignalPoll());
  }
  return py::make_tuple(arrays_of(std::move(step.chain)), step.log_likelihood);
}

Words knock_off_haplotypes(const Words& words, Index n_samples, const Reals& stay, const Reals& landing,
                           const Reals& allele, const Numbers& ends, const Bytes& fixed, std::uint64_t key,
                           std::uint32_t first_batch, int n_threads, bool phased) {
  const riata::GenotypeWords genotypes = genotypes_of(words, n_samples, phased);
  const riata::HaplotypeChain chain = chain_of(stay, landing, allele);
  const std::vector<Index> groups = numbers_of(ends);
  const std::span<const std::uint8_t> copied(fixed.data(), static_cast<std::size_t>(fixed.size()));
  Words out({words.shape(0), words.shape(1)});
  std::uint32_t* const to = out.mutable_data();
  {
    const py::gil_scoped_release nogil;
    riata::knock_off_haplotypes(genotypes, chain, groups, copied, {key, first_batch}, to, n_threads, SignalPoll());
  }
  return out;
}

py::array_t<double> haplotype_law(const Reals& stay, const Reals& landing, const Reals& allele, const Numbers& ends,
                                  const Numbers& path, const Numbers& knockoff) {
  const riata::HaplotypeChain chain = chain_of(stay, landing, allele);
  for (const Numbers* clusters : {&path, &knockoff}) {
    for (Index k = 0; k < clusters->size(); ++k) {
      if (clusters->data()[k] < 0 || clusters->data()[k] >= chain.clusters) {
        throw py::value_error("path and knockoff must be numbers of clusters");
      }
    }
  }
  const std::vector<Index> groups = numbers_of(ends), one = numbers_of(path), two = numbers_of(knockoff);
  py::array_t<double> out = array_of<double>(riata::haplotype_law(chain, groups, one, two));
  return out.reshape(std::vector<Index>{chain.variants, chain.clusters});
}

void add_sharing(riata::RareSharing& sharing, const Words& words, Index n_samples) {
  const riata::GenotypeWords genotypes = genotypes_of(words, n_samples);
  const py::gil_scoped_release nogil;
  sharing.add(genotypes);
}

py::array_t<std::int64_t> sharing_pairs(const riata::RareSharing& sharing, double share, double margin, Index least) {
  std::vector<std::int64_t> out;
  for (const riata::SharedStretches& pair : sharing.pairs(share, margin, least)) {
    out.insert(out.end(), {pair.first, pair.second, pair.shared, pair.carried});
  }
  const auto rows = static_cast<Index>(out.size() / 4);
  return array_of<std::int64_t>(std::move(out)).reshape({rows, Index{4}});
}

}  // namespace

void bind_haplotypes(py::module_& m) {
  m.def("gather_samples", &gather_samples, "packed"_a, "samples"_a,
        "(batches of 16 samples, variants): words of the 2-bit codes of some samples of packed variants.");
  m.def("scatter_samples", &scatter_samples, "words"_a, "samples"_a, "columns"_a, "packed"_a.noconvert(),
        "n_threads"_a = 1, "Sets codes of some samples in some rows of packed.");
  m.def("start_haplotypes", &start_haplotypes, "words"_a, "n_samples"_a, "n_clusters"_a, "seed"_a,
        "(stay, landing, allele) that EM starts from.");
  m.def("step_haplotypes", &step_haplotypes, "words"_a, "n_samples"_a, "stay"_a, "landing"_a, "allele"_a,
        "n_threads"_a = 1, "phased"_a = false,
        "((stay, landing, allele) after one step of EM, log-likelihood before it).");
  m.def("knock_off_haplotypes", &knock_off_haplotypes, "words"_a, "n_samples"_a, "stay"_a, "landing"_a, "allele"_a,
        "ends"_a, "fixed"_a, "key"_a, "first_batch"_a = 0, "n_threads"_a = 1, "phased"_a = false,
        "Knockoffs as words.");
  m.def("haplotype_law", &haplotype_law, "stay"_a, "landing"_a, "allele"_a, "ends"_a, "path"_a, "knockoff"_a,
        "(variants, clusters): the law of each cluster of a knockoff given what is drawn before it.");
  py::class_<riata::RareSharing>(m, "RareSharing",
                                 "Stretches of the genome in which pairs of samples share rare alleles.")
      .def(py::init<Index>(), "n_samples"_a)
      .def("add", &add_sharing, "words"_a, "n_samples"_a, "Adds variants of a chromosome.")
      .def(
          "pairs", &sharing_pairs, "share"_a, "margin"_a, "least"_a,
          "(pairs, 4): two samples, stretches they share, and stretches in which the one with fewer has rare alleles.");
}
