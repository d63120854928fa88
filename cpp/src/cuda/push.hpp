// Local walks on the device: a warp for each question.
#pragma once

#include <vector>

#include "core/device_graph.hpp"
#include "cuda/graph_mirror.hpp"

namespace remanence::cuda {

class Pushes {
public:
    std::vector<std::vector<Pushed>> push(GraphMirror& mirror, const Filter& filter,
                                          const DevicePush& asked, const Stream& stream);

private:
    std::uint32_t make_room(std::uint32_t ranks, std::size_t questions, PushRoom& room,
                            const Stream& stream);

    Buffer<double> mass_, residual_, share_;
    Buffer<Key> degree_;
    Buffer<std::uint32_t> mark_, touched_, queue_, count_, ranks_, cut_, place_;
    Buffer<Pushed> found_;
};

}  // namespace remanence::cuda
