// Every kernel, numbered as in encode.ts. A kernel is one file: a decoder that validates and a `Call` that runs.
#pragma once
#include "../program/call.h"

namespace gradpack {

template <class Real> std::unique_ptr<Call> decodeFill(CallReader&);
template <class Real> std::unique_ptr<Call> decodeCopy(CallReader&);
template <class Real> std::unique_ptr<Call> decodeMap(CallReader&);
template <class Real> std::unique_ptr<Call> decodeReduce(CallReader&);
template <class Real> std::unique_ptr<Call> decodeGemm(CallReader&);
template <class Real> std::unique_ptr<Call> decodeConvolve(CallReader&);
template <class Real> std::unique_ptr<Call> decodeConvolveTransposed(CallReader&);
template <class Real> std::unique_ptr<Call> decodeMaxPool(CallReader&);
template <class Real> std::unique_ptr<Call> decodeAveragePool(CallReader&);
template <class Real> std::unique_ptr<Call> decodeAveragePoolTransposed(CallReader&);
template <class Real> std::unique_ptr<Call> decodeGather(CallReader&);
template <class Real> std::unique_ptr<Call> decodeScatterAdd(CallReader&);
template <class Real> std::unique_ptr<Call> decodeGatherRows(CallReader&);
template <class Real> std::unique_ptr<Call> decodeRandom(CallReader&);
template <class Real> std::unique_ptr<Call> decodeCategorical(CallReader&);
template <class Real> std::unique_ptr<Call> decodeClampIndices(CallReader&);
template <class Real> std::unique_ptr<Call> decodeCheckFinite(CallReader&);
template <class Real> std::unique_ptr<Call> decodeOuter(CallReader&);
template <class Real> std::unique_ptr<Call> decodeGram(CallReader&);

struct KernelEntry {
  const char* name;
  Decoder single, twice;
};

/// In the order of KERNELS in encode.ts.
constexpr KernelEntry kernels[] = {
    {"fill", decodeFill<float>, decodeFill<double>},
    {"copy", decodeCopy<float>, decodeCopy<double>},
    {"map", decodeMap<float>, decodeMap<double>},
    {"reduce", decodeReduce<float>, decodeReduce<double>},
    {"gemm", decodeGemm<float>, decodeGemm<double>},
    {"convolve", decodeConvolve<float>, decodeConvolve<double>},
    {"convolveTransposed", decodeConvolveTransposed<float>, decodeConvolveTransposed<double>},
    {"maxPool", decodeMaxPool<float>, decodeMaxPool<double>},
    {"averagePool", decodeAveragePool<float>, decodeAveragePool<double>},
    {"averagePoolTransposed", decodeAveragePoolTransposed<float>, decodeAveragePoolTransposed<double>},
    {"gather", decodeGather<float>, decodeGather<double>},
    {"scatterAdd", decodeScatterAdd<float>, decodeScatterAdd<double>},
    {"gatherRows", decodeGatherRows<float>, decodeGatherRows<double>},
    {"random", decodeRandom<float>, decodeRandom<double>},
    {"categorical", decodeCategorical<float>, decodeCategorical<double>},
    {"clampIndices", decodeClampIndices<float>, decodeClampIndices<double>},
    {"checkFinite", decodeCheckFinite<float>, decodeCheckFinite<double>},
    {"outer", decodeOuter<float>, decodeOuter<double>},
    {"gram", decodeGram<float>, decodeGram<double>},
};

}  // namespace gradpack
