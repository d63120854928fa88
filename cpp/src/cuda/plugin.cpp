// The one exported function of the library: what it is, and whether it can run here.
#include "core/plugin.hpp"

#include "cuda/cover.hpp"
#include "cuda/decay.hpp"
#include "cuda/memory.hpp"
#include "cuda/runtime.hpp"
#include "cuda/search.hpp"
#include "cuda/walk.hpp"

extern "C" __attribute__((visibility("default"))) const remanence::PluginInfo* remanence_backend() {
    static const remanence::PluginInfo info = {.build_id = REMANENCE_BUILD_ID,
                                               .name = REMANENCE_BACKEND,
                                               .why_unavailable = &remanence::cuda::why_no_device,
                                               .make_rows = &remanence::cuda::make_rows,
                                               .decay_f32 = &remanence::cuda::decay,
                                               .decay_f64 = &remanence::cuda::decay,
                                               .decay_there_f32 = &remanence::cuda::decay_there,
                                               .decay_there_f64 = &remanence::cuda::decay_there,
                                               .make_graph = &remanence::cuda::make_graph,
                                               .cover = &remanence::cuda::cover,
                                               .held_bytes = &remanence::cuda::held_bytes,
                                               .copied_bytes = &remanence::cuda::copied_bytes,
                                               .memory = remanence::cuda::memory()};
    return &info;
}
