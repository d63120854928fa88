// What a block's questions will read, asked of memory before the first of them waits for it.
#include <bit>

#include "core/codes.hpp"
#include "cpu/scan.hpp"

namespace remanence::cpu {

/// The cells of all strips that some question wants, and half of the codes where two do.
void Scan::ask_for_strips(const Block& b, const Worker& worker) {
    std::uint32_t strips = 0;
    std::uint32_t again = 0;  // those that two questions want
    for (const std::uint32_t q : worker.wanting) {
        again |= strips & worker.shares[q].strips;
        strips |= worker.shares[q].strips;
    }
    const SegmentCodes& codes = b.s.codes;
    const CodeStrips halves(codes.bits(), codes.bytes, b.first);
    for (std::uint32_t left = strips; left != 0; left &= left - 1) {
        const auto first = 64 * static_cast<std::uint32_t>(std::countr_zero(left));
        ask_for(codes.cell + b.first + first, 64 * sizeof *codes.cell);
        ask_for(codes.reach + b.first + first, 64);
    }
    for (std::uint32_t left = again; left != 0; left &= left - 1) {
        const auto first = 64 * static_cast<std::uint32_t>(std::countr_zero(left));
        ask_for(codes.early + b.first + first, 64 * sizeof *codes.early);
        ask_for(halves.early + first * halves.early_bytes, 64 * halves.early_bytes);
    }
}

/// Has the codes of a block asked for while its side terms are found, where most of the last
/// block's were read.
void Scan::ask_ahead(const Block& b, Range asked, Worker& worker) {
    for (const std::uint32_t q : worker.wanting) worker.shares[q].asked_ahead = false;
    Share& share = worker.shares[asked.first];
    const bool alone = asked.end - asked.first == 1;
    worker.ahead = {};
    share.asked_ahead = alone && share.way == Way::codes && share.dense;
    if (!share.asked_ahead) return;
    const CodeStrips strips(b.s.codes.bits(), b.s.codes.bytes, b.first);
    worker.ahead = {strips.early, strips.early + b.count * strips.early_bytes};
}

}  // namespace remanence::cpu
