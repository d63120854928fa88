// Finding cells by k-means over a sample, and the cell of a row by the signs of its vector.
#include "core/cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/codes.hpp"
#include "core/threads.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

constexpr std::uint32_t sample_per_cell = 32;
constexpr int rounds = 3;
constexpr std::uint32_t least_members = 8;  // a centre of fewer would say what they are, erased too
constexpr std::size_t group_bytes = std::size_t{2} << 30U;
constexpr std::uint32_t task_rows = 1024;

/// Vectors to find cells from, spread evenly over full segments.
struct Sample {
    std::size_t padded;
    std::size_t dim;
    std::vector<float> rows;
    std::uint32_t count() const { return static_cast<std::uint32_t>(rows.size() / padded); }
    const float* row(std::uint32_t r) const { return rows.data() + r * padded; }
};

Sample draw(const Columns& columns, std::size_t first, std::size_t segments, std::uint32_t wanted) {
    Sample out{columns.padded_dim, columns.dim, {}};
    const std::size_t rows = segments * segment_rows;
    const std::size_t step = std::max<std::size_t>(1, rows / wanted);
    for (std::size_t row = 0; row < rows; row += step) {
        const Segment& s = *columns.segments[first + row / segment_rows];
        const std::size_t r = row % segment_rows;
        if ((s.flags[r] & flag::has_vector) == 0) continue;
        const float* const x = columns.room(s, static_cast<std::uint32_t>(r));
        out.rows.insert(out.rows.end(), x, x + columns.padded_dim);
    }
    out.rows.resize(out.rows.size() / out.padded / 64 * 64 * out.padded);
    return out;
}

/// For each row its cell, by tasks of many rows.
std::vector<std::uint16_t> assign(const Sample& sample, const CellFinder& finder) {
    std::vector<std::uint16_t> cell(sample.count());
    const std::size_t tasks = (sample.count() + task_rows - 1) / task_rows;
    parallel_for(tasks, spare_workers(), [&](std::size_t task, int) {
        std::vector<std::uint8_t> room;
        const auto first = static_cast<std::uint32_t>(task) * task_rows;
        const std::uint32_t rows = std::min(task_rows, sample.count() - first);
        finder.find(sample.row(first), sample.padded, sample.dim, rows, room, cell.data() + first);
    });
    return cell;
}

/// Rows by cell: those of cell k stand from ends[k] to ends[k + 1].
struct Members {
    std::vector<std::uint32_t> ends;
    std::vector<std::uint32_t> rows;
};

Members members_of(const std::vector<std::uint16_t>& cell, std::uint32_t cells) {
    Members out{std::vector<std::uint32_t>(cells + 1, 0), std::vector<std::uint32_t>(cell.size())};
    for (const std::uint16_t k : cell) ++out.ends[k + 1U];
    std::partial_sum(out.ends.begin(), out.ends.end(), out.ends.begin());
    auto at = out.ends;
    for (std::uint32_t r = 0; r < cell.size(); ++r) out.rows[at[cell[r]]++] = r;
    return out;
}

/// Puts the centres of few members where the mean of all rows is.
void spread_few(const Sample& sample, const Members& members,
                std::vector<std::vector<float>>& mean) {
    std::vector<float> all(mean[0].size(), 0.0F);
    for (std::uint32_t r = 0; r < sample.count(); ++r) {
        for (std::size_t j = 0; j < sample.dim; ++j) all[j] += sample.row(r)[j];
    }
    for (float& x : all) x /= static_cast<float>(sample.count());
    for (std::size_t k = 0; k < mean.size(); ++k) {
        if (members.ends[k + 1] - members.ends[k] < least_members) mean[k] = all;
    }
}

/// The means of the members. A cell without any starts anew at some row; in the last round one of
/// few is put where the sample's mean is, which hardly any row takes.
std::shared_ptr<Cells> means(const Sample& sample, const Members& members, std::size_t width,
                             int round) {
    const auto cells = static_cast<std::uint32_t>(members.ends.size() - 1);
    std::vector<std::vector<float>> mean(cells);
    parallel_for(cells, spare_workers(), [&](std::size_t k, int) {
        mean[k].assign(width, 0.0F);
        const std::uint32_t from = members.ends[k];
        const std::uint32_t count = members.ends[k + 1] - from;
        for (std::uint32_t m = 0; m < count; ++m) {
            const float* const x = sample.row(members.rows[from + m]);
            for (std::size_t j = 0; j < sample.dim; ++j) mean[k][j] += x[j];
        }
        if (count == 0) {
            const std::size_t row = k * 2'654'435'761U + static_cast<std::size_t>(round) * 7'919U;
            std::copy_n(sample.row(static_cast<std::uint32_t>(row % sample.count())), sample.dim,
                        mean[k].begin());
            return;
        }
        for (float& x : mean[k]) x /= static_cast<float>(count);
    });
    if (round + 1 == rounds) spread_few(sample, members, mean);
    auto out = std::make_shared<Cells>();
    out->width = width;
    for (const std::vector<float>& centre : mean) out->add(centre);
    return out;
}

float square_distance(const float* a, const float* b, std::size_t dim) {
    float sum = 0.0F;
    for (std::size_t j = 0; j < dim; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

/// Two centres of a cell's members, by k-means from two that lie far apart; empty where a half
/// would have too few.
std::vector<std::vector<float>> halves_of(const Sample& sample, const std::uint32_t* rows,
                                          std::uint32_t count) {
    if (count < 2 * least_members) return {};
    const auto farthest = [&](const float* from) {
        const auto nearer = [&](std::uint32_t a, std::uint32_t b) {
            return square_distance(sample.row(a), from, sample.dim) <
                   square_distance(sample.row(b), from, sample.dim);
        };
        return sample.row(*std::max_element(rows, rows + count, nearer));
    };
    const float* const one = farthest(sample.row(rows[0]));
    const float* const other = farthest(one);
    std::vector<std::vector<float>> centre{{one, one + sample.dim}, {other, other + sample.dim}};
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::vector<float>> sum(2, std::vector<float>(sample.dim));
        std::array<std::uint32_t, 2> members{};
        for (std::uint32_t m = 0; m < count; ++m) {
            const float* const x = sample.row(rows[m]);
            const bool second = square_distance(x, centre[1].data(), sample.dim) <
                                square_distance(x, centre[0].data(), sample.dim);
            ++members[second ? 1 : 0];
            for (std::size_t j = 0; j < sample.dim; ++j) sum[second ? 1 : 0][j] += x[j];
        }
        if (std::min(members[0], members[1]) < least_members) return {};
        for (std::size_t h = 0; h < 2; ++h) {
            for (float& x : sum[h]) x /= static_cast<float>(members[h]);
        }
        centre = std::move(sum);
    }
    return centre;
}

/// Each cell in two halves, one after the other; twice the same where it is not split.
std::shared_ptr<Cells> split(const Sample& sample, const Cells& whole, const Members& members) {
    std::vector<std::vector<std::vector<float>>> halves(whole.count());
    parallel_for(whole.count(), spare_workers(), [&](std::size_t k, int) {
        const std::uint32_t from = members.ends[k];
        halves[k] = halves_of(sample, members.rows.data() + from, members.ends[k + 1] - from);
        if (!halves[k].empty()) return;
        std::vector<float> centre(whole.width);
        for (std::size_t j = 0; j < whole.width; ++j) centre[j] = whole.at(k, j);
        halves[k].assign(2, centre);
    });
    auto out = std::make_shared<Cells>();
    out->width = whole.width;
    for (const auto& pair : halves) {
        for (const auto& half : pair) out->add(half);
    }
    return out;
}

std::size_t width_of(const Columns& columns) { return code_bytes(columns.dim) * 8; }

}  // namespace

void Cells::add(const std::vector<float>& centre) {
    float widest = 0.0F;
    for (const float x : centre) widest = std::max(widest, std::fabs(x));
    const float unit = widest / 127.0F;
    step.push_back(unit);
    for (std::size_t j = 0; j < width; ++j) {
        const float x = j < centre.size() && unit > 0.0F ? centre[j] / unit : 0.0F;
        steps.push_back(static_cast<std::int8_t>(std::lround(x)));
    }
}

std::uint32_t group_segments(std::size_t padded_dim) {
    std::uint32_t segments = 16;
    while (segments > 1 && segments * segment_rows * padded_dim * sizeof(float) > group_bytes) {
        segments /= 2;
    }
    return segments;
}

const std::shared_ptr<const Cells>& Columns::cells_of(std::size_t segment) const {
    static const std::shared_ptr<const Cells> unknown;
    const std::size_t group = segment / group_segments(padded_dim);
    return group < cells.size() ? cells[group] : unknown;
}

std::shared_ptr<const Cells> one_cell(const Columns& columns, const Segment& segment) {
    std::vector<double> sum(columns.dim, 0.0);
    std::size_t counted = 0;
    for (std::uint32_t r = 0; r < segment.count; ++r) {
        if ((segment.flags[r] & flag::has_vector) == 0) continue;
        ++counted;
        const float* const x = columns.room(segment, r);
        for (std::size_t j = 0; j < columns.dim; ++j) sum[j] += static_cast<double>(x[j]);
    }
    std::vector<float> mean(columns.dim, 0.0F);
    for (std::size_t j = 0; j < columns.dim && counted != 0; ++j) {
        mean[j] = static_cast<float>(sum[j] / static_cast<double>(counted));
    }
    auto out = std::make_shared<Cells>();
    out->width = width_of(columns);
    out->add(mean);
    return out;
}

std::shared_ptr<const Cells> find_cells(const Columns& columns, std::size_t first,
                                        std::size_t count) {
    const std::uint32_t cells = cpu::kernels().cells;
    const Sample sample = draw(columns, first, count, cells * sample_per_cell);
    if (sample.count() < cells * sample_per_cell / 2) return nullptr;
    auto found = std::make_shared<Cells>();
    found->width = width_of(columns);
    for (std::uint32_t k = 0; k < cells; ++k) {
        const float* const x = sample.row(k * (sample.count() / cells));
        found->add(std::vector<float>(x, x + sample.dim));
    }
    for (int round = 0; round < rounds; ++round) {
        const std::vector<std::uint16_t> cell = assign(sample, CellFinder(found));
        found = means(sample, members_of(cell, cells), found->width, round);
    }
    const Sample more = draw(columns, first, count, 2 * cells * sample_per_cell);
    return split(more, *found, members_of(assign(more, CellFinder(found)), cells));
}

CellFinder CellFinder::of_halves(std::shared_ptr<const Cells> halves, std::size_t padded) {
    const Cells& c = *halves;
    auto whole = std::make_shared<Cells>();
    whole->width = c.width;
    std::vector<float> apart(c.count() / 2 * padded, 0.0F);
    std::vector<float> middle(c.count() / 2, 0.0F);
    for (std::size_t k = 0; k < middle.size(); ++k) {
        std::vector<float> centre(c.width);
        for (std::size_t j = 0; j < c.width; ++j) {
            const float one = c.at(2 * k, j);
            const float other = c.at(2 * k + 1, j);
            centre[j] = 0.5F * (one + other);
            if (j < padded) apart[k * padded + j] = other - one;
            middle[k] += (other - one) * centre[j];
        }
        whole->add(centre);
    }
    CellFinder out(std::move(whole));
    out.cells_ = std::move(halves);
    out.apart_ = std::move(apart);
    out.middle_ = std::move(middle);
    return out;
}

CellFinder::CellFinder(std::shared_ptr<const Cells> cells) : cells_(std::move(cells)) {
    const Cells& c = *cells_;
    const std::size_t groups = code_groups(c.width / 8);
    mean_.assign(c.width, 0.0F);
    float widest = 0.0F;
    std::vector<float> centres(c.count() * c.width);
    for (std::size_t i = 0; i < centres.size(); ++i) {
        centres[i] = c.at(i / c.width, i % c.width);
        mean_[i % c.width] += centres[i] / static_cast<float>(c.count());
    }
    // |x - m| in its mean value per dimension: what a sign is worth where values are normal.
    float middle = 0.0F;
    for (const float m : mean_) middle += m * m;
    const float worth =
        std::sqrt(1.5707963F * std::max(1.0F - middle, 0.01F) / static_cast<float>(c.width));
    std::vector<float> reach(c.count() * groups, 0.0F);
    for (std::size_t k = 0; k < c.count(); ++k) {
        for (std::size_t g = 0; g < groups; ++g) {
            for (std::size_t b = 0; b < 6; ++b) {
                reach[k * groups + g] += std::fabs(centres[k * c.width + code_dim(g, b)]);
            }
            widest = std::max(widest, reach[k * groups + g]);
        }
    }
    // Sums of entries and the bias fill half of 16 bits each at most.
    const float most = std::min(63.0F, 16'000.0F / static_cast<float>(groups));
    const float steps_per = most / std::max(widest, 1e-30F);
    tables_.resize(c.count() * groups * 64);
    std::vector<float> bias(c.count());
    parallel_for(c.count(), spare_workers(), [&](std::size_t k, int) {
        const float* const centre = centres.data() + k * c.width;
        float offset = 0.0F;
        for (std::size_t g = 0; g < groups; ++g) {
            std::array<float, 64> sums{};
            const float shift = reach[k * groups + g];
            offset += shift;
            sums[0] = shift;
            for (std::size_t b = 0; b < 6; ++b) sums[0] -= centre[code_dim(g, b)];
            for (std::size_t b = 0, known = 1; b < 6; ++b, known *= 2) {
                const float flip = 2.0F * centre[code_dim(g, b)];
                for (std::size_t s = 0; s < known; ++s) sums[known + s] = sums[s] + flip;
            }
            std::uint8_t* const to = tables_.data() + (k * groups + g) * 64;
            for (std::size_t s = 0; s < 64; ++s) {
                to[s] = static_cast<std::uint8_t>(std::max(sums[s] * steps_per + 0.5F, 0.0F));
            }
        }
        float along = 0.0F;
        float half = 0.0F;
        for (std::size_t j = 0; j < c.width; ++j) {
            along += mean_[j] * centre[j];
            half += 0.5F * centre[j] * centre[j];
        }
        bias[k] = ((along - half) / worth - offset) * steps_per;
    });
    const float least = *std::min_element(bias.begin(), bias.end());
    for (const float b : bias) {
        bias_.push_back(static_cast<std::uint16_t>(std::min(b - least, 30'000.0F)));
    }
}

void CellFinder::find(const float* rows, std::size_t padded, std::size_t dim, std::uint32_t count,
                      std::vector<std::uint8_t>& codes, std::uint16_t* cell) const {
    const std::size_t bytes = cells_->width / 8;
    codes.assign(count * bytes, 0);
    for (std::uint32_t r = 0; r < count; ++r) {
        const float* const x = rows + r * padded;
        std::uint8_t* const to = codes.data() + (r / 64) * bytes * 64 + r % 64;
        for (std::size_t c = 0; c * 8 < dim; ++c) {
            std::uint32_t bits = 0;
            for (std::size_t j = c * 8; j < std::min(dim, (c + 1) * 8); ++j) {
                bits |= (x[j] >= mean_[j] ? 1U : 0U) << (j - c * 8);
            }
            to[c * 64] = static_cast<std::uint8_t>(bits);
        }
    }
    cpu::kernels().nearest(codes.data(), bytes, count, tables_.data(), bias_.data(),
                           static_cast<std::uint32_t>(bias_.size()), cell);
    if (apart_.empty()) return;
    for (std::uint32_t r = 0; r < count; ++r) {
        float along = 0.0F;
        cpu::kernels().dot(rows + r * padded, apart_.data() + cell[r] * padded, padded, 1, &along);
        cell[r] = static_cast<std::uint16_t>(2 * cell[r] + (along > middle_[cell[r]] ? 1 : 0));
    }
}

}  // namespace remanence
