// The one exported function of the library: what it is, and whether it can run here.
#include "core/plugin.hpp"

#include "cuda/decay.hpp"
#include "cuda/memory.hpp"
#include "cuda/runtime.hpp"
#include "cuda/search.hpp"
#include "cuda/walk.hpp"

extern "C" __attribute__((visibility("default"))) const remanence::PluginInfo* remanence_backend() {
    static const remanence::PluginInfo info = {REMANENCE_BUILD_ID,
                                               REMANENCE_BACKEND,
                                               &remanence::cuda::why_no_device,
                                               &remanence::cuda::make_rows,
                                               &remanence::cuda::decay,
                                               &remanence::cuda::decay,
                                               &remanence::cuda::make_graph,
                                               &remanence::cuda::held_bytes,
                                               remanence::cuda::memory()};
    return &info;
}
