#pragma once

#include <cstddef>
#include <type_traits>

#include "riata/types.hpp"

namespace riata {

/// Writing and reading the state of an object in one place: its
///   template <class Archive> void state(Archive& archive) { archive(first_, second_, ...); }
/// hands over what the object holds to an archive: to a file (checkpoint/archive.hpp) or in memory
/// (io/memory_archive.hpp). Numbers and structs of numbers, Eigen's matrices, strings, pairs and standard sequences of
/// all these go by themselves. Bytes are for machines like the one that wrote them: byte order and sizes are its own.
template <class Archive, class T>
void transfer(Archive& archive, T& value) {
  if constexpr (requires { value.state(archive); }) {
    value.state(archive);
  } else if constexpr (std::is_trivially_copyable_v<T>) {
    static_assert(!std::is_pointer_v<T>);
    archive.bytes(&value, sizeof value);
  } else if constexpr (requires { value.first; }) {
    archive(value.first, value.second);
  } else if constexpr (requires { typename T::PlainObject; }) {
    Index rows = value.rows(), cols = value.cols();
    archive(rows, cols);
    if constexpr (Archive::reading) value.resize(rows, cols);
    archive.bytes(value.data(), static_cast<std::size_t>(value.size()) * sizeof(typename T::Scalar));
  } else {
    std::size_t size = value.size();
    archive(size);
    if constexpr (Archive::reading && requires { value.resize(size); }) value.resize(size);
    using Element = typename T::value_type;
    if constexpr (std::is_trivially_copyable_v<Element> && requires { value.data(); }) {
      archive.bytes(value.data(), size * sizeof(Element));
    } else {
      for (Element& element : value) transfer(archive, element);
    }
  }
}

}  // namespace riata
