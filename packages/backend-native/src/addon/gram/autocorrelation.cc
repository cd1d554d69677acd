#include "autocorrelation.h"

#include <algorithm>
#include <array>

#include "../gemm/split.h"
#include "../isa/isa.h"
#include "../memory/scratch.h"

namespace gradpack {
namespace {

/// Steps that are packed at a time: a panel of them stays in L1.
constexpr std::int64_t chunkSteps = 192;
/// Numbers of the parts of one task: they stay in L2.
constexpr std::int64_t partCells = 1 << 17;
/// Numbers of channels-last pixels at a time.
constexpr std::int64_t framedSize = 1 << 22;
/// Pairs of offsets grow with the fourth power of a kernel's side.
constexpr std::int64_t mostOffsets = 49;

/// Below these the triangle is faster (measured: equal at 6 channels, 1.8 times slower at 8; and with 32 steps as fast).
constexpr std::int64_t leastChannels = 8, leastSteps = 64;

struct Axis {
  std::int64_t extent, kernel, output, dilation, low;
};

/// Positions between two neighbouring borders of windows, and the kernel offsets whose windows hold them.
struct Segment {
  std::int64_t from, to;
  std::vector<std::int64_t> windows;
};

/// Of positions that have a partner at `shift` kernel steps' distance.
std::vector<Segment> segmentsOf(const Axis& axis, std::int64_t shift) {
  std::vector<std::int64_t> borders;
  const auto begin = [&](std::int64_t a) { return a * axis.dilation - axis.low; };
  for (std::int64_t a = 0; a < axis.kernel; a++) borders.insert(borders.end(), {begin(a), begin(a) + axis.output});
  std::sort(borders.begin(), borders.end());
  std::vector<Segment> segments;
  for (std::size_t i = 0; i + 1 < borders.size(); i++) {
    const std::int64_t reach = shift * axis.dilation;
    Segment segment{std::max<std::int64_t>({borders[i], 0, -reach}), std::min({borders[i + 1], axis.extent, axis.extent - reach}), {}};
    for (std::int64_t a = std::max<std::int64_t>(0, -shift); a < axis.kernel - std::max<std::int64_t>(0, shift); a++)
      if (begin(a) <= borders[i] && borders[i + 1] <= begin(a) + axis.output) segment.windows.push_back(a);
    if (segment.from < segment.to && !segment.windows.empty()) segments.push_back(segment);
  }
  return segments;
}

bool holds(const std::vector<std::int64_t>& list, std::int64_t x) { return std::find(list.begin(), list.end(), x) != list.end(); }

}  // namespace

std::optional<Autocorrelation> Autocorrelation::of(const Window& window) {
  const auto alone = [](std::int64_t stride) { return stride == 1; };
  if (window.transposed() || window.mode() != Window::Mode::zeros || window.input().size() > 2 || window.offsets() == 1 || window.offsets() > mostOffsets) return std::nullopt;
  if (!std::all_of(window.stride().begin(), window.stride().end(), alone)) return std::nullopt;
  return Autocorrelation(window);
}

Autocorrelation::Autocorrelation(const Window& window) : width(window.input().back()), pixels(window.inputs()), offsets(window.offsets()) {
  const auto axis = [&](std::size_t i) { return Axis{window.input()[i], window.kernel()[i], window.output()[i], window.dilation()[i], window.low()[i]}; };
  const bool flat = window.input().size() == 1;
  const Axis vertical = flat ? Axis{1, 1, 1, 1, 0} : axis(0), horizontal = axis(flat ? 0 : 1);
  for (std::int64_t dy = 0; dy < vertical.kernel; dy++)
    for (std::int64_t dx = dy == 0 ? 0 : 1 - horizontal.kernel; dx < horizontal.kernel; dx++) {
      Shift shift{dy * vertical.dilation * width + dx * horizontal.dilation, {}, {}};
      const std::vector<Segment> rows = segmentsOf(vertical, dy), columns = segmentsOf(horizontal, dx);
      for (const Segment& y : rows)
        for (const Segment& x : columns) shift.parts.push_back({y.from, y.to, x.from, x.to});
      for (std::int64_t a = 0; a + dy < vertical.kernel; a++)
        for (std::int64_t b = std::max<std::int64_t>(0, -dx); b + std::max<std::int64_t>(0, dx) < horizontal.kernel; b++) {
          Pair pair{a * horizontal.kernel + b, (a + dy) * horizontal.kernel + b + dx, {}};
          for (std::size_t y = 0; y < rows.size(); y++)
            for (std::size_t x = 0; x < columns.size(); x++)
              if (holds(rows[y].windows, a) && holds(columns[x].windows, b)) pair.parts.push_back(static_cast<int>(y * columns.size() + x));
          shift.pairs.push_back(std::move(pair));
        }
      shifts.push_back(std::move(shift));
    }
}

bool Autocorrelation::pays(std::int64_t channels, std::int64_t images, std::int64_t outputs) const { return channels >= leastChannels && images * outputs >= leastSteps; }

namespace {

/// Channels-last pixels of some images: panels of channels, [pixel][lanes] each.
template <class Real> struct Pixels {
  const Real* data;
  std::int64_t count;
};

/// The pixels of one part in all images, some at a time, as runs of neighbours.
class Steps {
 public:
  Steps(const Autocorrelation& form, const Autocorrelation::Part& part, std::int64_t images) : form_(form), part_(part), left_(images * part.pixels()), y_(part.y0), x_(part.x0) {}

  struct PixelRun {
    std::int64_t at, count;
  };
  std::array<PixelRun, chunkSteps> runs;
  std::int64_t runCount = 0, count = 0;

  bool next() {
    runCount = count = 0;
    for (; left_ > 0 && count < chunkSteps; runCount++) {
      const std::int64_t n = std::min(part_.x1 - x_, chunkSteps - count);
      runs[static_cast<std::size_t>(runCount)] = {image_ + y_ * form_.width + x_, n};
      count += n, left_ -= n, x_ += n;
      if (x_ < part_.x1) continue;
      x_ = part_.x0;
      if (++y_ < part_.y1) continue;
      y_ = part_.y0;
      image_ += form_.pixels;
    }
    return count > 0;
  }

 private:
  const Autocorrelation& form_;
  const Autocorrelation::Part& part_;
  std::int64_t left_, y_, x_, image_ = 0;
};

template <class Real> class Correlator {
 public:
  Correlator(const Run& run, const Autocorrelation& form, std::int64_t channels, const SymmetricTarget<Real>& target)
      : run_(run), tiles_(isa<Real>().tiles), form_(form), C_(channels), padded_(panelSize(tiles_, channels, 1)), plane_(channels * padded_), target_(target),
        windows_(scratch<Real>(Scratch::sharedSums, form.offsets * form.offsets * plane_)) {}

  template <class Image> void addImages(std::ptrdiff_t stride, std::int64_t from, std::int64_t images, const Image& image, bool add) {
    Real* data = scratch<Real>(Scratch::sharedColumns, images * form_.pixels * padded_);
    const std::int64_t panels = ceilDivide(C_, tiles_.columns), positions = images * form_.pixels;
    run_.parallel(images * panels, [&](std::int64_t task) {
      const std::int64_t n = task / panels, c = task % panels * tiles_.columns, w = std::min<std::int64_t>(tiles_.columns, C_ - c), lanes = panelWidth(tiles_, C_ - c);
      Real* d = data + c * positions + n * form_.pixels * lanes;
      packSteps<Real>(tiles_, {image(from + n) + c * stride, stride, 1}, w, form_.pixels, d, lanes);
      for (std::int64_t q = 0; q < form_.pixels && w < lanes; q++) std::fill(d + q * lanes + w, d + (q + 1) * lanes, Real(0));
    });
    const Pixels<Real> pixels{data, positions};
    std::size_t most = 0;
    for (const Autocorrelation::Shift& shift : form_.shifts) most = std::max(most, shift.parts.size());
    const std::int64_t two = 2 * tiles_.columns, side = static_cast<std::int64_t>(most) * two * padded_ <= partCells ? two : tiles_.columns, blocks = ceilDivide(C_, side);
    run_.parallel(static_cast<std::int64_t>(form_.shifts.size()) * blocks, [&](std::int64_t task) {
      const std::int64_t i = task % blocks * side;
      correlate(form_.shifts[static_cast<std::size_t>(task / blocks)], images, pixels, i, std::min(side, C_ - i), add);
    });
  }

  /// The pairs' windows put where B has them: row (i, a) holds for each channel j all offsets c.
  void emit() const {
    const std::int64_t K = form_.offsets, F = C_ * K;
    run_.parallel(C_, [&](std::int64_t i) {
      for (std::int64_t a = 0; a < K; a++) {
        Real* row = target_.B + (i * K + a) * F;
        Real* to = target_.add ? scratch<Real>(Scratch::line, F) : row;
        tiles_.transpose(windowOf(a, 0) + i * padded_, plane_, static_cast<int>(K), C_, to, K);
        for (std::int64_t j = 0; target_.add && j < F; j++) row[j] += to[j];
      }
    });
  }

 private:
  Real* windowOf(std::int64_t from, std::int64_t to) const { return windows_ + (from * form_.offsets + to) * plane_; }

  /// Rows of channels [i, i + m) of all windows with one shift, and the columns that mirror them.
  void correlate(const Autocorrelation::Shift& shift, std::int64_t images, const Pixels<Real>& pixels, std::int64_t i, std::int64_t m, bool add) const {
    const std::int64_t cells = m * padded_;
    Real* parts = scratch<Real>(Scratch::product, std::max<std::int64_t>(1, static_cast<std::int64_t>(shift.parts.size())) * cells);
    for (std::size_t p = 0; p < shift.parts.size(); p++) multiplyPart(shift, shift.parts[p], images, pixels, i, m, parts + static_cast<std::int64_t>(p) * cells);
    for (const Autocorrelation::Pair& pair : shift.pairs) {
      Real* window = windowOf(pair.from, pair.to) + i * padded_;
      if (!add) std::fill_n(window, cells, Real(0));
      for (const int part : pair.parts) isa<Real>().elementwise.addScaled(target_.scale, parts + part * cells, window, cells);
      if (pair.from != pair.to) tiles_.transpose(window, padded_, static_cast<int>(m), C_, windowOf(pair.to, pair.from) + i, padded_);
    }
  }

  /// sums [m, C] = Σ of pixels and their partners over one part.
  void multiplyPart(const Autocorrelation::Shift& shift, const Autocorrelation::Part& part, std::int64_t images, const Pixels<Real>& pixels, std::int64_t i, std::int64_t m, Real* sums) const {
    Real *rows = scratch<Real>(Scratch::rows, chunkSteps * (m + tiles_.columns)), *columns = scratch<Real>(Scratch::columns, chunkSteps * padded_);
    Steps steps(form_, part, images);
    for (bool add = false; steps.next(); add = true) {
      copyPanels(pixels, steps, 0, i, m, rows);
      copyPanels(pixels, steps, shift.by, 0, C_, columns);
      for (std::int64_t j = 0; j < C_; j += tiles_.columns) {
        const std::int64_t width = panelWidth(tiles_, C_ - j);
        for (std::int64_t r = 0; r < m; r += tiles_.columns) {
          const std::int64_t rowWidth = panelWidth(tiles_, C_ - i - r);
          const Split split(std::min<std::int64_t>(tiles_.columns, m - r), tiles_.rows);
          for (std::int64_t s = 0; s < split.count; s++)
            (width == tiles_.columns ? tiles_.wide : tiles_.narrow)[split.size(s)](steps.count, rows + r * steps.count + split.at(s), rowWidth, columns + j * steps.count, width, sums + (r + split.at(s)) * padded_ + j, padded_, add);
        }
      }
    }
  }

  /// Panels of channels [c0, c0 + n) at these steps, `by` pixels further.
  void copyPanels(const Pixels<Real>& pixels, const Steps& steps, std::int64_t by, std::int64_t c0, std::int64_t n, Real* d) const {
    for (std::int64_t c = c0; c < c0 + n; c += tiles_.columns) {
      const std::int64_t lanes = panelWidth(tiles_, C_ - c);
      const Real* from = pixels.data + c * pixels.count + by * lanes;
      for (std::int64_t r = 0; r < steps.runCount; r++) {
        const Steps::PixelRun& run = steps.runs[static_cast<std::size_t>(r)];
        d = std::copy_n(from + run.at * lanes, run.count * lanes, d);
      }
    }
  }

  const Run& run_;
  const Tiles<Real>& tiles_;
  const Autocorrelation& form_;
  std::int64_t C_, padded_, plane_;
  const SymmetricTarget<Real>& target_;
  /// [from][to][channel][padded channels]
  Real* windows_;
};

}  // namespace

template <class Real> void autocorrelate(const Run& run, const Autocorrelation& form, std::int64_t channels, std::ptrdiff_t stride, std::int64_t images, const ImageAt<Real>& image, const SymmetricTarget<Real>& target) {
  Correlator<Real> correlator(run, form, channels, target);
  const std::int64_t most = std::max<std::int64_t>(1, framedSize / (form.pixels * channels));
  for (std::int64_t n = 0; n < images; n += most) correlator.addImages(stride, n, std::min(most, images - n), image, n > 0);
  correlator.emit();
}

template void autocorrelate<float>(const Run&, const Autocorrelation&, std::int64_t, std::ptrdiff_t, std::int64_t, const ImageAt<float>&, const SymmetricTarget<float>&);
template void autocorrelate<double>(const Run&, const Autocorrelation&, std::int64_t, std::ptrdiff_t, std::int64_t, const ImageAt<double>&, const SymmetricTarget<double>&);

}  // namespace gradpack
