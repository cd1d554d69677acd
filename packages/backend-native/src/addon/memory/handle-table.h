// Things that JavaScript names by number. A handle is the owner's serial, a generation and an index: one that was freed, or that
// belongs to another backend or environment, is recognised and never followed.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "../failure.h"

namespace gradpack {

template <class T> class HandleTable {
 public:
  HandleTable(std::uint32_t owner, const char* what) : owner_(owner % owners), what_(what) {}

  double add(T value) {
    std::size_t index = entries_.size();
    if (free_.empty()) {
      if (index == indices) failOutOfMemory(std::string("too many ") + what_ + "s");
      entries_.push_back({});
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Entry& entry = entries_[index];
    entry.value = std::move(value);
    entry.used = true;
    count_++;
    return static_cast<double>((std::uint64_t{owner_} * generations + entry.generation) * indices + index);
  }

  T& at(double handle) {
    const std::size_t index = indexOf(handle);
    return entries_[index].value;
  }

  T remove(double handle) {
    const std::size_t index = indexOf(handle);
    Entry& entry = entries_[index];
    entry.used = false;
    count_--;
    // an index whose generations are used up is not given out again
    if (++entry.generation < generations) free_.push_back(index);
    return std::exchange(entry.value, T{});
  }

  std::size_t count() const { return count_; }
  template <class F> void each(const F& body) {
    for (Entry& entry : entries_)
      if (entry.used) body(entry.value);
  }

 private:
  // 14 + 17 + 22 bits: a whole number that a double holds
  static constexpr std::uint64_t owners = 1u << 14, generations = 1u << 17, indices = 1u << 22;
  struct Entry {
    T value{};
    std::uint64_t generation = 0;
    bool used = false;
  };

  std::size_t indexOf(double handle) const {
    if (!(handle >= 0 && handle < 9007199254740992.0)) failInternal(std::string("this is no ") + what_);
    const std::uint64_t bits = static_cast<std::uint64_t>(handle);
    const std::uint64_t index = bits % indices, generation = bits / indices % generations, owner = bits / indices / generations;
    if (owner != owner_ || static_cast<double>(bits) != handle) throw Failure("GRADPACK-MIXED-BACKENDS", std::string("this ") + what_ + " belongs to another backend");
    if (index >= entries_.size() || !entries_[index].used || entries_[index].generation != generation) throw Failure("GRADPACK-DISPOSED", std::string("this ") + what_ + " was released");
    return index;
  }

  const std::uint64_t owner_;
  const char* what_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> free_;
  std::size_t count_ = 0;
};

}  // namespace gradpack
