#pragma once

#include "riata/types.hpp"

namespace riata {

/// A vector of the calling thread to work on, until `Owner` asks for one again: it is allocated only where it is longer
/// than ever before.
template <class Owner>
Eigen::Map<Vec, Eigen::AlignedMax> thread_room(Index size) {
  static thread_local Vec room;
  if (size > room.size()) room.resize(size);
  return {room.data(), size};
}

}  // namespace riata
