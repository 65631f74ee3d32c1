#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <functional>
#include <span>

/// The numbers, matrices and lists of columns that all interfaces are written in.
namespace riata {

using Index = std::ptrdiff_t;
using Vec = Eigen::VectorXd;
using Mat = Eigen::MatrixXd;

/// Read-only and writable views of column-major double data; columns are contiguous, any leading dimension.
using MatIn = Eigen::Ref<const Mat, 0, Eigen::OuterStride<>>;
using MatOut = Eigen::Ref<Mat, 0, Eigen::OuterStride<>>;

/// Column numbers of a design: any order, no duplicates. Increasing order streams fastest.
using Columns = std::span<const Index>;

/// Called now and then on the thread that entered the library; may throw to stop it (Ctrl-C).
using Poll = std::function<void()>;

}  // namespace riata
