// The k best paths between two nodes on the device: all detours of a path at once.
#pragma once

#include <vector>

#include "core/detours.hpp"
#include "core/device_graph.hpp"
#include "cuda/graph_mirror.hpp"

namespace remanence::cuda {

class Between {
public:
    std::vector<Path> best(GraphMirror& mirror, const Filter& filter, std::uint32_t source,
                           std::uint32_t target, std::size_t k, const DevicePaths& measure,
                           const Stream& stream);

private:
    /// The best way of each detour, as many at a time as memory holds.
    std::vector<RankPath> ways(const RankPath& path, View<const Detour> detours,
                               const Stream& stream);
    void make_room(std::uint32_t detours, const Stream& stream);
    void start(const RankPath& path, View<const Detour> detours, const Stream& stream);
    /// Calls step(level, number) for one list of slots after the other until one is empty.
    template <class Step>
    void levels(const std::vector<std::uint32_t>& slots, const Stream& stream, Step&& step);
    std::vector<RankPath> read(const RankPath& path, View<const Detour> detours,
                               const Stream& stream);

    PathBy by_ = PathBy::hops;
    GraphColumns forth_{}, back_{};
    BetweenColumns b_{};
    Buffer<double> lengths_;
    Buffer<Key> best_, step_, value_, steps_;
    Buffer<std::uint32_t> listed_, hops_, lists_[2], count_, place_, from_, cut_, banned_, ends_;
    Buffer<Link> links_;
};

}  // namespace remanence::cuda
