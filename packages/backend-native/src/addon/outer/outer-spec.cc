#include "outer-spec.h"

#include <algorithm>

namespace gradpack {
namespace {

/// Of a request: more than any program has, and little enough for tables with an entry for each.
constexpr std::int64_t mostColumns = 1 << 20;

template <class Real> std::vector<Term<Real>> readTerms(CallReader& words, std::int64_t N, std::int64_t size) {
  std::vector<Term<Real>> terms;
  for (int i = 0, n = words.count(1 << 16); i < n; i++) terms.emplace_back(words, N, size);
  return terms;
}

}  // namespace

template <class Real> Term<Real>::Term(CallReader& reader, std::int64_t N, std::int64_t size) : kind(static_cast<TermKind>(reader.within(0, 5))) {
  if (kind == TermKind::given) {
    const int read = static_cast<int>(reader.within(0, reader.readCount()));
    V = reader.extent(), v = reader.integer(), n = reader.integer();
    place = reader.read(read, reader.precision, Extent{}.axis(V, v).axis(N, n).axis(size, 1));
    return;
  }
  a.emplace(reader);
  V = a->V;
  if (kind == TermKind::matrix || kind == TermKind::scale) {
    u.emplace(reader);
    V = std::max(a->V, u->V);
    if (u->T != a->T || u->G != a->G || u->N != N) failInternal("the factors of a term do not fit each other");
    if ((a->V != V && a->V != 1) || (u->V != V && u->V != 1)) failInternal("the factors of a term have different numbers of columns");
  }
  if (a->N != N) failInternal("a term has a number of samples of its own");
  const auto fits = [&](std::int64_t entries) {
    if (entries > size) failInternal("a term has more entries than θ");
  };
  switch (kind) {
    case TermKind::matrix: {
      view.emplace(reader);
      fits(view->entries());
      if (view->G != a->G || view->O != a->F || view->columns() != u->F) failInternal("a term does not fit its view");
      const Extent extent = view->extent();
      if (extent.low < 0 || extent.high >= size) failInternal("a view reaches outside θ");
      break;
    }
    case TermKind::shift:
      fits(a->G * a->F);
      break;
    case TermKind::scale:
      if (a->G != 1 || a->F != u->F) failInternal("the factors of a scale term do not fit each other");
      fits(a->F);
      break;
    case TermKind::lookup: {
      if (a->G != 1) failInternal("a lookup term has groups");
      const int read = static_cast<int>(reader.within(0, reader.readCount()));
      hasSkip = reader.flag();
      skip = reader.integer();
      words = size / a->F;
      place = reader.read(read, Dtype::int32, Extent::contiguous(sizeOf({N, a->T})));
      break;
    }
    case TermKind::given:
      break;
  }
}

template <class Real> Request<Real>::Request(CallReader& reader, std::int64_t N, std::int64_t size) : form(static_cast<RequestForm>(reader.within(0, 5))) {
  from = reader.within(0, mostElements);
  to = reader.within(from + 1, mostElements);
  if (reader.flag()) weight = reader.read(static_cast<int>(reader.within(0, reader.readCount())), reader.precision, Extent::contiguous(sizeOf({to - from, N})));
  if (reader.flag()) {
    const int list = static_cast<int>(reader.within(0, reader.readCount()));
    count = reader.extent();
    samples = reader.read(list, Dtype::int32, Extent::contiguous(count));
  } else {
    count = N;
  }
  cross = readTerms<Real>(reader, N, size);
  const int index = static_cast<int>(reader.within(0, reader.writeCount()));
  v = reader.integer(), n = reader.integer();
  accumulate = reader.flag();
  into = reader.write(index, reader.precision, Extent{}.axis(to - from, v).axis(count, n).axis(form == RequestForm::norm ? 1 : size, 1));
  if (form == RequestForm::centred && (to - from != 1 || n != 0)) failInternal("a centred request takes one column and sums the samples");
  if (form != RequestForm::cross && !cross.empty()) failInternal("only a cross request has terms");
}

template <class Real> OuterSpec<Real>::OuterSpec(CallReader& words) : N(words.extent()), size(words.extent()), terms(readTerms<Real>(words, N, size)) {
  for (int i = 0, n = words.count(1 << 16); i < n; i++) requests.emplace_back(words, N, size);
  if (columns() > mostColumns) failInternal("a request has too many columns");
  // strides of 0 let counts be large where buffers are small
  const auto bounded = [&](const std::vector<Term<Real>>& terms) {
    std::int64_t steps = 1;
    for (const Term<Real>& term : terms)
      if (term.a) steps = checkedProduct(1, steps + term.a->T);
    checkedProduct(checkedProduct(std::max<std::int64_t>(columns(), 1), N), steps);
  };
  bounded(terms);
  for (const Request<Real>& request : requests) bounded(request.cross);
}

template <class Real> std::int64_t OuterSpec<Real>::columns() const {
  std::int64_t most = 0;
  for (const Request<Real>& request : requests) most = std::max(most, request.to);
  return most;
}

template struct Term<float>;
template struct Term<double>;
template struct Request<float>;
template struct Request<double>;
template struct OuterSpec<float>;
template struct OuterSpec<double>;

}  // namespace gradpack
