// What a row's code is made of: its residual, the residual's bytes, and sums over both.

float residual(const float* __restrict x, const std::int8_t* __restrict steps, float step,
               std::size_t dim, float* __restrict o) {
    for (std::size_t j = 0; j < dim; ++j) o[j] = x[j] - step * static_cast<float>(steps[j]);
    float square = 0.0F;
    dot_rows(o, o, (dim + 15) / 16 * 16, 1, &square);
    return square;
}

REMANENCE_LANE_FN float largest(const float* x, std::size_t padded) {
    Lane high = lanes::splat<Lane>(0.0F);
    for (std::size_t j = 0; j < padded; j += lane_count) {
        const Lane value = load<Lane>(x + j);
        const Lane size = lanes::select(value < lanes::splat<Lane>(0.0F), -value, value);
        high = lanes::select(size > high, size, high);
    }
    float all[lane_count];
    store(all, high);
    for (const float one : all) all[0] = one > all[0] ? one : all[0];
    return all[0];
}

void encode_bytes(const float* __restrict o, std::size_t dim, std::size_t early,
                  std::int8_t* __restrict to, float* __restrict room, ByteSums& out) {
    const std::size_t padded = (dim + 15) / 16 * 16;
    const float step = largest(o, padded) / 127.0F;
    const float steps_per = step > 0.0F ? 1.0F / step : 0.0F;
    // Adding and taking away 1.5 * 2^23 rounds to the nearest whole number.
    constexpr float whole = 0x1.8p23F;
    float* __restrict const rest = room;
    float* __restrict const sign = room + padded;
    for (std::size_t j = 0; j < dim; ++j) {
        const float steps = (o[j] * steps_per + whole) - whole;
        to[j] = static_cast<std::int8_t>(static_cast<std::int32_t>(steps));
        rest[j] = o[j] - steps * step;
        sign[j] = steps >= 0.0F ? 1.0F : -1.0F;
    }
    for (std::size_t j = dim; j < padded; ++j) rest[j] = sign[j] = 0.0F;
    out.step = step;
    dot_rows(rest, rest, padded, 1, &out.left);
    dot_rows(o, o, padded, 1, &out.square);
    dot_rows(sign, o, padded, 1, &out.along);
    const std::size_t whole_lanes = early / 16 * 16;
    dot_rows(sign, o, whole_lanes, 1, &out.early);
    for (std::size_t j = whole_lanes; j < early; ++j) out.early = out.early + sign[j] * o[j];
}
