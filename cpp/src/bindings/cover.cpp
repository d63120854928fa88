// The verb `cover` over arrays.
#include "remanence/cover.hpp"

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {

void register_cover(py::module_& m) {
    m.def(
        "cover",
        [](const py::object& vectors, float cosine, const py::object& pinned,
           const py::object& uses, const py::object& prior, const py::object& groups,
           const std::string& backend) {
            CoverRows rows;
            rows.vectors = view<float>("cover", "vectors", vectors, 2);
            rows.dim =
                static_cast<std::size_t>(py::reinterpret_borrow<py::array>(vectors).shape(1));
            if (!pinned.is_none()) {
                const View<const bool> pins = view<bool>("cover", "pinned", pinned);
                rows.pinned = {reinterpret_cast<const std::uint8_t*>(pins.data()), pins.size()};
            }
            rows.uses = view_or_empty<float>("cover", "uses", uses);
            rows.prior = view_or_empty<float>("cover", "prior", prior);
            rows.groups = view_or_empty<std::uint32_t>("cover", "groups", groups);
            std::vector<std::int64_t> stands;
            {
                const py::gil_scoped_release release;
                stands = cover(rows, cosine, backend);
            }
            return array_of(std::move(stands));
        },
        py::arg("vectors"), py::arg("cosine"), py::kw_only(), py::arg("pinned") = py::none(),
        py::arg("uses") = py::none(), py::arg("prior") = py::none(), py::arg("groups") = py::none(),
        py::arg("backend") = "cpu",
        "For each row of vectors [n, dim] the row that stands for it, int64 [n]; kept rows stand "
        "for themselves. Taken by pin, then by prior + 2 ln(1 + uses) descending, then by number, "
        "a row is kept if it is pinned or no kept row of its group is as near as `cosine`.");
}

}  // namespace remanence::bindings
