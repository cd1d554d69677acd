// random: Philox4x32-10 (Salmon et al., SC 2011) with key (seed, step) and counter (position ≫ 2, sample, column, stream).
#include <cstdint>

#include "../threads/grain.h"
#include "decoders.h"

namespace gradpack {
namespace {

struct Words {
  std::uint32_t at[4];
};

Words philox(Words x, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; round++, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * x.at[0], b = std::uint64_t{0xCD9E8D57u} * x.at[2];
    x = {{static_cast<std::uint32_t>(b >> 32) ^ x.at[1] ^ key0, static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(a >> 32) ^ x.at[3] ^ key1, static_cast<std::uint32_t>(a)}};
  }
  return x;
}

template <class Real> class Random final : public Call {
 public:
  explicit Random(CallReader& words) {
    words.expectOperands(1, 1);
    stream_ = static_cast<std::uint32_t>(words.within(0, 1LL << 32));
    firstColumn_ = static_cast<std::uint32_t>(words.within(0, 1LL << 32));
    V_ = words.extent(), N_ = words.extent(), P_ = words.extent();
    run_ = words.read(0, Dtype::int32, Extent::contiguous(2));
    u_ = words.write(0, words.precision, Extent::contiguous(sizeOf({V_, N_, P_})));
  }
  void run(const Run& run) const override {
    const std::int32_t* key = run.read<std::int32_t>(run_);
    const std::uint32_t seed = static_cast<std::uint32_t>(key[0]), step = static_cast<std::uint32_t>(key[1]);
    Real* u = run.write<Real>(u_);
    run.parallelRanges(V_ * N_, grainOf(10 + 2 * static_cast<double>(P_)), [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t row = from; row < to; row++)
        for (std::int64_t p = 0; p < P_; p += 4) {
          const Words words = philox({{static_cast<std::uint32_t>(p >> 2), static_cast<std::uint32_t>(row % N_), firstColumn_ + static_cast<std::uint32_t>(row / N_), stream_}}, seed, step);
          for (std::int64_t i = 0; i < 4 && p + i < P_; i++) u[row * P_ + p + i] = (static_cast<Real>(words.at[i] >> 9) + Real(0.5)) * Real(1.0 / 8388608.0);
        }
    });
  }
  double bytes() const override { return static_cast<double>(V_ * N_ * P_) * 16; }

 private:
  std::uint32_t stream_, firstColumn_;
  std::int64_t V_, N_, P_;
  Place run_, u_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeRandom(CallReader& words) { return std::make_unique<Random<Real>>(words); }
template std::unique_ptr<Call> decodeRandom<float>(CallReader&);
template std::unique_ptr<Call> decodeRandom<double>(CallReader&);

}  // namespace gradpack
