// Greedy covers on the device: rows there once, three kernels for each block of them.
#include "cuda/cover.hpp"

#include <algorithm>

#include "cuda/launch.hpp"

namespace remanence::cuda {
namespace {

template <class T>
const T* put(Buffer<T>& buffer, const T* from, std::size_t count, const Stream& stream) {
    buffer.reserve(count);
    upload(buffer.data(), from, count * sizeof(T), stream);
    return buffer.data();
}

}  // namespace

void cover(const CoverPlan& plan, View<std::uint32_t> stands) {
    if (plan.rows == 0) return;
    const Stream stream;
    Buffer<float> unit, tail;
    Buffer<std::uint8_t> pinned;
    Buffer<std::uint32_t> group;
    CoverColumns c{};
    c.rows = static_cast<std::uint32_t>(plan.rows);
    c.padded = static_cast<std::uint32_t>(plan.padded);
    c.head = static_cast<std::uint32_t>(plan.head);
    c.cosine = plan.cosine;
    c.least = plan.cosine - plan.slack;
    c.unit = put(unit, plan.unit, plan.rows * plan.padded, stream);
    c.tail = put(tail, plan.tail, plan.rows, stream);
    c.pinned = put(pinned, plan.pinned, plan.rows, stream);
    c.group = put(group, plan.group, plan.rows, stream);
    Buffer<std::uint32_t> of(plan.rows), kept(plan.rows + 1);
    Buffer<std::uint32_t> near(std::size_t{cover_block} * (cover_block / 32));
    fill(of.data(), 0xFF, plan.rows * sizeof(std::uint32_t), stream);
    c.stands = of.data();
    c.held = kept.data();
    c.kept = kept.data() + 1;
    c.near = near.data();
    fill(c.held, 0, sizeof(std::uint32_t), stream);
    for (std::uint32_t first = 0; first < c.rows; first += cover_block) {
        run_cover_block(c, first, std::min(cover_block, c.rows - first), stream);
    }
    download(stands.data(), of.data(), stands.size_bytes(), stream);
}

}  // namespace remanence::cuda
