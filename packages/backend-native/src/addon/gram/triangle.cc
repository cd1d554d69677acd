#include "triangle.h"

#include <algorithm>
#include <vector>

#include "../gemm/blocked.h"
#include "../isa/isa.h"
#include "../memory/scratch.h"

namespace gradpack {
namespace {

/// Panels along the edge of a block: its sums stay in L2 beside the panels they come from.
constexpr std::ptrdiff_t mostEdge = 4;
/// Parts of a sample begin at multiples of this.
constexpr std::ptrdiff_t grain = 64;
/// Numbers that one task packs at a time for itself: they stay in L2.
template <class Real> constexpr std::ptrdiff_t ownPanels = (1 << 18) / static_cast<std::ptrdiff_t>(sizeof(Real));
/// Steps that are packed at a time for all tasks.
template <class Real> constexpr std::ptrdiff_t sharedSteps = 384 * 4 / static_cast<std::ptrdiff_t>(sizeof(Real));

/// Steps [at(i), at(i + 1)): as many whole samples, or as large a part of one, as `most` steps hold.
class Chunks {
 public:
  Chunks(std::ptrdiff_t samples, std::ptrdiff_t each, std::ptrdiff_t most) {
    const std::ptrdiff_t steps = samples * each, whole = std::max<std::ptrdiff_t>(1, most / each) * each;
    const std::ptrdiff_t part = ceilDivide(ceilDivide(each, ceilDivide(each, most)), grain) * grain;
    for (std::ptrdiff_t at = 0; at < steps; at = std::min(steps, each <= most ? at + whole : at + std::min(part, each - at % each))) begins_.push_back(at);
    begins_.push_back(steps);
  }
  std::ptrdiff_t count() const { return static_cast<std::ptrdiff_t>(begins_.size()) - 1; }
  std::ptrdiff_t at(std::ptrdiff_t i) const { return begins_[static_cast<std::size_t>(i)]; }
  std::ptrdiff_t size(std::ptrdiff_t i) const { return at(i + 1) - at(i); }

 private:
  std::vector<std::ptrdiff_t> begins_;
};

/// Rows [i, i + m) and columns [j, j + n) of the product, i <= j.
struct Block {
  std::ptrdiff_t i, m, j, n;
};

template <class Real> class Triangle {
 public:
  Triangle(const Run& run, std::ptrdiff_t samples, std::ptrdiff_t each, const PackPanels<Real>& pack, const SymmetricTarget<Real>& target)
      : tiles_(isa<Real>().tiles), pack_(pack), target_(target), F_(target.F), samples_(samples), each_(each), padded_(panelSize(tiles_, F_, 1)), panels_(ceilDivide(F_, tiles_.columns)),
        work_(static_cast<double>(F_) * static_cast<double>(F_) * static_cast<double>(samples * each)), run_{run.base, work_ < worthSharing ? 1 : run.threads} {}

  void multiply() const {
    if (panels_ <= mostEdge) byGroups();
    else byBlocks();
  }

 private:
  void byGroups() const {
    const Block all{0, F_, 0, F_};
    const std::ptrdiff_t wanted = run_.threads == 1 ? 1 : std::min<std::ptrdiff_t>(4 * run_.threads, static_cast<std::ptrdiff_t>(work_ / worthSharing) + 1);
    const std::ptrdiff_t most = std::max(grain, ownPanels<Real> / padded_ / grain * grain);
    const Chunks chunks(samples_, each_, std::min(most, ceilDivide(ceilDivide(samples_ * each_, wanted), grain) * grain));
    const Split groups(chunks.count(), ceilDivide(chunks.count(), wanted));
    const std::ptrdiff_t cells = F_ * padded_;
    Real* sums = scratch<Real>(Scratch::sharedSums, groups.count * cells);
    run_.parallel(groups.count, [&](std::ptrdiff_t g) {
      Real* panels = scratch<Real>(Scratch::columns, most * padded_);
      for (std::ptrdiff_t i = 0; i < groups.size(g); i++) {
        const std::ptrdiff_t c = groups.at(g) + i;
        pack_(0, F_, chunks.at(c), chunks.size(c), panels);
        multiplyBlock(all, panels, chunks.size(c), sums + g * cells, i > 0);
      }
    });
    for (std::ptrdiff_t g = 1; g < groups.count; g++)
      for (std::ptrdiff_t i = 0; i < cells; i++) sums[i] += sums[g * cells + i];
    emitBlock(all, sums);
  }

  void byBlocks() const {
    // at least four tasks a thread
    std::ptrdiff_t edge = mostEdge;
    while (run_.threads > 1 && edge > 1 && ceilDivide(panels_, edge) * (ceilDivide(panels_, edge) + 1) / 2 < 4 * run_.threads) edge--;
    std::vector<Block> blocks;
    const std::ptrdiff_t side = edge * tiles_.columns;
    for (std::ptrdiff_t j = 0; j < F_; j += side)
      for (std::ptrdiff_t i = 0; i <= j; i += side) blocks.push_back({i, std::min(side, F_ - i), j, std::min(side, F_ - j)});
    const Chunks chunks(samples_, each_, sharedSteps<Real>);
    Real* panels = scratch<Real>(Scratch::sharedColumns, std::min(samples_ * each_, sharedSteps<Real>) * padded_);
    Real* sums = chunks.count() == 1 ? nullptr : scratch<Real>(Scratch::sharedSums, static_cast<std::ptrdiff_t>(blocks.size()) * side * side);
    for (std::ptrdiff_t c = 0; c < chunks.count(); c++) {
      const std::ptrdiff_t count = chunks.size(c);
      run_.parallel(panels_, [&](std::ptrdiff_t p) {
        const std::ptrdiff_t f = p * tiles_.columns;
        pack_(f, std::min<std::ptrdiff_t>(tiles_.columns, F_ - f), chunks.at(c), count, panels + f * count);
      });
      run_.parallel(static_cast<std::ptrdiff_t>(blocks.size()), [&](std::ptrdiff_t b) {
        const Block& block = blocks[static_cast<std::size_t>(b)];
        Real* own = sums == nullptr ? scratch<Real>(Scratch::product, side * side) : sums + b * side * side;
        multiplyBlock(block, panels, count, own, c > 0);
        if (c == chunks.count() - 1) emitBlock(block, own);
      });
    }
  }

  /// sums [m, its panels' columns] = or += the block's product over the steps of all panels.
  void multiplyBlock(const Block& block, const Real* panels, std::ptrdiff_t count, Real* sums, bool add) const {
    const std::ptrdiff_t ls = panelSize(tiles_, block.n, 1);
    eachPiece(block, [&](std::ptrdiff_t i, std::ptrdiff_t m, std::ptrdiff_t j, std::ptrdiff_t w) {
      const Real *a = panelsAt(panels, i, count), *b = panelsAt(panels, j, count);
      const std::ptrdiff_t la = widthAt(i), lb = widthAt(j);
      const Split rows(m, tiles_.rows);
      for (std::ptrdiff_t r = 0; r < rows.count; r++) (w > half() ? tiles_.wide : tiles_.narrow)[rows.size(r)](count, a + rows.at(r), la, b, lb, sums + (i - block.i + rows.at(r)) * ls + j - block.j, ls, add);
    });
  }

  void emitBlock(const Block& block, Real* sums) const {
    const std::ptrdiff_t ls = panelSize(tiles_, block.n, 1);
    eachPiece(block, [&](std::ptrdiff_t i, std::ptrdiff_t m, std::ptrdiff_t j, std::ptrdiff_t w) {
      Real* s = sums + (i - block.i) * ls + j - block.j;
      const std::ptrdiff_t own = i == j ? std::min(m, w) : 0;
      if (own > 0) target_.emit(tiles_, i, m, j, own, s, ls);
      if (own < w) target_.emit(tiles_, i, m, j + own, w - own, s + own, ls);
    });
  }

  /// Covers the block's part of the triangle by body(first row, rows, first column, columns): panels by panels above the diagonal, on it
  /// rows of half a panel by the columns that begin with them.
  template <class F> void eachPiece(const Block& block, const F& body) const {
    for (std::ptrdiff_t j = block.j; j < block.j + block.n; j += tiles_.columns) {
      const std::ptrdiff_t w = std::min<std::ptrdiff_t>(tiles_.columns, F_ - j);
      for (std::ptrdiff_t i = block.i; i < std::min(block.i + block.m, j); i += tiles_.columns) body(i, tiles_.columns, j, w);
      if (block.i > j || block.i + block.m <= j) continue;
      body(j, std::min(half(), w), j, w);
      if (w > half()) body(j + half(), w - half(), j + half(), w - half());
    }
  }

  std::ptrdiff_t half() const { return tiles_.columns / 2; }
  /// Width of the panel of column j, a multiple of half a panel, and where the column lies in it.
  std::ptrdiff_t widthAt(std::ptrdiff_t j) const { return panelWidth(tiles_, F_ - j / tiles_.columns * tiles_.columns); }
  const Real* panelsAt(const Real* panels, std::ptrdiff_t j, std::ptrdiff_t count) const { return panels + j / tiles_.columns * tiles_.columns * count + j % tiles_.columns; }

  const Tiles<Real>& tiles_;
  const PackPanels<Real>& pack_;
  const SymmetricTarget<Real>& target_;
  std::ptrdiff_t F_, samples_, each_, padded_, panels_;
  double work_;
  Run run_;
};

}  // namespace

template <class Real> void symmetricProduct(const Run& run, std::ptrdiff_t samples, std::ptrdiff_t each, const PackPanels<Real>& pack, const SymmetricTarget<Real>& target) {
  Triangle<Real>(run, samples, each, pack, target).multiply();
}

template void symmetricProduct<float>(const Run&, std::ptrdiff_t, std::ptrdiff_t, const PackPanels<float>&, const SymmetricTarget<float>&);
template void symmetricProduct<double>(const Run&, std::ptrdiff_t, std::ptrdiff_t, const PackPanels<double>&, const SymmetricTarget<double>&);

}  // namespace gradpack
