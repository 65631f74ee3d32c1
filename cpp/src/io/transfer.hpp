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
  } else if constexpr (std::is_same_v<T, bool>) {  // of which not every byte is one
    unsigned char byte = value ? 1 : 0;
    archive.bytes(&byte, 1);
    value = byte != 0;
  } else if constexpr (std::is_trivially_copyable_v<T>) {
    static_assert(!std::is_pointer_v<T>);
    archive.bytes(&value, sizeof value);
  } else if constexpr (requires { value.first; }) {
    archive(value.first, value.second);
  } else if constexpr (requires { typename T::PlainObject; }) {
    Index rows = value.rows(), cols = value.cols();
    archive(rows, cols);
    if constexpr (requires { archive.expect(rows, cols, sizeof rows); }) {
      archive.expect(rows, cols, sizeof(typename T::Scalar), T::ColsAtCompileTime == 1);
    }
    if constexpr (Archive::reading) value.resize(rows, cols);
    archive.bytes(value.data(), static_cast<std::size_t>(value.size()) * sizeof(typename T::Scalar));
  } else {
    std::size_t size = value.size();
    archive(size);
    using Element = typename T::value_type;
    constexpr bool plain =
        std::is_trivially_copyable_v<Element> && !requires(Element& element) { element.state(archive); };
    if constexpr (requires { archive.expect(Index{}, Index{}, size); }) {
      archive.expect(static_cast<Index>(size), 1, plain ? sizeof(Element) : 8);
    }
    if constexpr (Archive::reading && requires { value.resize(size); }) value.resize(size);
    if constexpr (plain && requires { value.data(); }) {
      archive.bytes(value.data(), size * sizeof(Element));
    } else {
      for (Element& element : value) transfer(archive, element);
    }
  }
}

}  // namespace riata
