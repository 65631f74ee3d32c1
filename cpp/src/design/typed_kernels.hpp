#pragma once

#include <cstdint>

#include "kernel/kernels.hpp"

namespace riata {

/// The entries of the kernel table for one element type.
template <class T>
struct TypedKernels;

template <>
struct TypedKernels<double> {
  explicit TypedKernels(const Kernels& k)
      : correlate(k.correlate_f64),
        multiply(k.multiply_f64),
        center(k.center_f64),
        moments(k.moments_f64),
        moments_across(k.moments_across_f64) {}
  decltype(Kernels::correlate_f64) correlate;
  decltype(Kernels::multiply_f64) multiply;
  decltype(Kernels::center_f64) center;
  decltype(Kernels::moments_f64) moments;
  decltype(Kernels::moments_across_f64) moments_across;
};

template <>
struct TypedKernels<float> {
  explicit TypedKernels(const Kernels& k)
      : correlate(k.correlate_f32),
        multiply(k.multiply_f32),
        center(k.center_f32),
        moments(k.moments_f32),
        moments_across(k.moments_across_f32) {}
  decltype(Kernels::correlate_f32) correlate;
  decltype(Kernels::multiply_f32) multiply;
  decltype(Kernels::center_f32) center;
  decltype(Kernels::moments_f32) moments;
  decltype(Kernels::moments_across_f32) moments_across;
};

template <>
struct TypedKernels<std::int8_t> {
  explicit TypedKernels(const Kernels& k)
      : correlate(k.correlate_i8),
        multiply(k.multiply_i8),
        center(k.center_i8),
        moments(k.moments_i8),
        moments_across(k.moments_across_i8) {}
  decltype(Kernels::correlate_i8) correlate;
  decltype(Kernels::multiply_i8) multiply;
  decltype(Kernels::center_i8) center;
  decltype(Kernels::moments_i8) moments;
  decltype(Kernels::moments_across_i8) moments_across;
};

}  // namespace riata
