#include "call.h"

namespace gradpack {

CallReader::CallReader(const Reader& words, const std::vector<Buffer>& buffers, Dtype precision) : Reader(words), precision(precision), buffers_(buffers) {
  for (std::vector<Place>* places : {&reads_, &writes_}) {
    const int n = count();
    for (int i = 0; i < n; i++) {
      Place place;
      place.buffer = static_cast<int>(within(0, static_cast<std::int64_t>(buffers.size())));
      place.offset = integer();
      places->push_back(place);
    }
  }
}

void CallReader::expectOperands(int reads, int writes) const {
  if (readCount() != reads || writeCount() != writes)
    failInternal("it has " + std::to_string(readCount()) + " reads and " + std::to_string(writeCount()) + " writes, not " + std::to_string(reads) + " and " + std::to_string(writes));
}

Place CallReader::place(const std::vector<Place>& of, const char* name, int index, Dtype dtype, const Extent& extent) const {
  const std::string what = std::string(name) + "[" + std::to_string(index) + "]";
  if (index < 0 || index >= static_cast<int>(of.size())) failInternal("it has no " + what);
  const Place& place = of[static_cast<std::size_t>(index)];
  const Buffer& buffer = buffers_[static_cast<std::size_t>(place.buffer)];
  if (buffer.dtype != dtype) failInternal(what + " is " + nameOf(buffer.dtype) + ", not " + nameOf(dtype));
  if (place.offset + extent.low < 0 || place.offset + extent.high >= buffer.length)
    failInternal(what + " touches elements " + std::to_string(place.offset + extent.low) + " to " + std::to_string(place.offset + extent.high) + " of buffer " +
                 std::to_string(place.buffer) + ", which has " + std::to_string(buffer.length));
  return place;
}

}  // namespace gradpack
